"""SIP as a protocol (RFC 3261 and what belongs to it); knows nothing of rooms, users or databases."""
