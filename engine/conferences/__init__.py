"""Meetings that are held: rooms wired to calls, the media plane and the store."""
