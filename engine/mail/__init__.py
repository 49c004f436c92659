"""Outgoing mail: what a message is, how it reaches the server, and the queue that outlives the process."""
