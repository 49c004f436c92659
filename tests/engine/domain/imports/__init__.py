"""Tests of what importing users means."""
