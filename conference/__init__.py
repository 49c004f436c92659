"""Rooms, roles and moderation; the WebRTC gateway. Filled by the conference work."""
