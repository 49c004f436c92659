"""The domain model: rights, parameters, quotas and the rest, without a database."""
