"""Hostile input, generated from a seed: the same seed gives the same bytes on every machine."""
