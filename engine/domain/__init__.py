"""The domain model: frozen records and rules. Nothing here reads a database, a socket or a clock."""
