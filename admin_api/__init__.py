"""The REST API and the web console: thin resources over the engine's services."""
