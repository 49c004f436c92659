"""The parts of an INVITE-created session; `sip.invite_session.InviteSession` joins them."""
