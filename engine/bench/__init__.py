"""What ``polyphony bench`` measures: an engine of its own, driven from outside, its processor time read from /proc."""
