"""Calls: parties, bridges, transfers, and who may do what."""
