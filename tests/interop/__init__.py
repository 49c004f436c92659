"""Tests of Polyphony."""
