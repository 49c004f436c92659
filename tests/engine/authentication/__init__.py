"""Tests of ``engine.authentication``."""
