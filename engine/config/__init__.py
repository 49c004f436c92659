"""The configuration file: every key with its unit, default and check."""

from __future__ import annotations

from engine.config.changes import Differences, differences, taken_up
from engine.config.errors import ConfigError
from engine.config.loading import load, problems
from engine.config.sections import Config

__all__ = ["Config", "ConfigError", "Differences", "differences", "load", "problems", "taken_up"]
