"""Recording: legs, both directions, rooms and talkers' tracks, off the tick and whole on disk at any moment."""
