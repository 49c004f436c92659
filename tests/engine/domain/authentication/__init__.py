"""Tests of ``engine.domain.authentication``."""
