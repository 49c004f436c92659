"""Tests of the event log and of who reads it."""
