"""``polyphony plan``: how many calls of each kind this machine carries, by trying a real media worker on loopback."""
