"""Meetings: who is in a room, in which role, and what follows. Cores that do no I/O; the engine drives them."""
