"""Conversations of INVITE-created sessions."""
