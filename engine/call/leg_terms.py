"""From what offer/answer settled to what a worker is told: the only place where SIP's words become media's."""

from __future__ import annotations

from media.control import LegSpec
from sip.offer_answer import Audio


def leg_spec(local_host: str, audio: Audio | None, signalling_host: str | None) -> LegSpec:
    """Say to a worker what offer/answer settled.

    signalling_host: the address a source may also be learned from, for a peer behind NAT; None for all others.
    """
    if audio is None:
        return LegSpec(local_host=local_host)
    return LegSpec(
        local_host=local_host,
        codec="PCMA" if audio.codec.name == "PCMA" else "PCMU",
        payload_type=audio.receive_payload_type,
        send_payload_type=audio.send_payload_type,
        event_type=audio.receive_event_type,
        send_event_type=audio.send_event_type,
        remote_host=audio.remote_host,
        remote_port=audio.remote_port,
        remote_rtcp_port=audio.remote_rtcp_port,
        nat=signalling_host is not None,
        signalling_host=signalling_host,
        send=audio.send,
        receive=audio.receive,
        rtcp_mux=audio.rtcp_mux,
    )
