"""From what offer/answer settled to what a worker is told: the only place where SIP's words become media's."""

from __future__ import annotations

from typing import NamedTuple, cast

from msgspec import structs

from media.codecs.facts import CodecName
from media.control import LegSpec, SrtpTerms, SuiteName
from sip.format_parameters import annex_b, opus_parameters
from sip.offer_answer import Audio
from sip.sdes import Keys


class Sound(NamedTuple):
    """How a codec is spoken: the fields of ``LegSpec`` of those names."""

    codec: CodecName
    rate: int = 8000
    bitrate: int = 0
    dtx: bool = False
    fec: bool = False


_PLAIN = {"PCMU": Sound("PCMU"), "PCMA": Sound("PCMA"), "G722": Sound("G722", 16000)}


def sound_of(audio: Audio) -> Sound:
    """How the codec agreed on is spoken: as the peer would hear it, as far as we go ourselves."""
    codec = audio.codec
    plain = _PLAIN.get(codec.name)
    if plain is not None:
        return plain
    match codec.name.upper():
        case "OPUS":
            ours, theirs = opus_parameters(codec.fmtp), opus_parameters(audio.fmtp)
            return Sound("OPUS", min(ours.rate, theirs.rate), theirs.bitrate, theirs.dtx, theirs.fec)
        case "G729":
            return Sound("G729", dtx=annex_b(audio.fmtp))
        case "L16":
            return Sound("L16", codec.rate)
        case name:
            raise ValueError(f"no leg speaks {name}")  # it was not offered: CODECS of engine.settings


def leg_spec(
    local_host: str, audio: Audio | None, signalling_host: str | None, *, inband_digits: bool = False
) -> LegSpec:
    """Say to a worker what offer/answer settled.

    signalling_host: the address a source may also be learned from, for a peer behind NAT; None for all others.
    inband_digits: digits are to be heard in the sound.
    """
    if audio is None:
        return LegSpec(local_host=local_host)
    sound = sound_of(audio)
    return LegSpec(
        local_host=local_host,
        codec=sound.codec,
        rate=sound.rate,
        clock_rate=audio.codec.rate,
        event_rate=audio.event_rate,
        bitrate=sound.bitrate,
        dtx=sound.dtx,
        fec=sound.fec,
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
        inband_digits=inband_digits,
        srtp=_srtp(audio.keys),
        level_id=audio.level_id,
    )


def _srtp(keys: Keys | None) -> SrtpTerms | None:
    return None if keys is None else SrtpTerms(cast("SuiteName", keys.suite), keys.send, keys.receive)


def symmetric_leg(spec: LegSpec, source: tuple[str, int] | None) -> LegSpec:
    """Ask that a leg about to be opened share its port, told apart by ``source``; None: it has a port of its own."""
    if source is None:
        return spec
    return structs.replace(spec, symmetric=True, remote_host=source[0], remote_port=source[1])
