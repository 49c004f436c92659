"""The configuration file: every key with its unit, default and check."""
