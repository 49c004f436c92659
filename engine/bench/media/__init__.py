"""The load generator of ``polyphony bench media``: calls with sound to any SIP server, and what they cost it."""
