"""What importing users means: mapping, comparing, scheduling. Pure: no directory, no store, no clock of its own."""
