"""The polyphony command."""
