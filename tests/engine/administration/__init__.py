"""Tests of ``engine.administration``."""
