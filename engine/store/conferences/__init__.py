"""Conferences in the store: rooms and their number ranges, policies, planned meetings, and what happened in them."""
