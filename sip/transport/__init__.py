"""Thin Twisted adapters that carry SIP messages: UDP, TCP and TLS."""
