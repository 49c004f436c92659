"""The offer/answer model for one audio stream (RFC 3264), as pure functions over session descriptions.

The result of a negotiation is an `Audio`: what to send where, and what will come, in plain values that the
caller hands to its media plane. Streams that cannot be used are refused with port 0 (section 6). One codec
is chosen, the first of the offerer's that we have, next to telephone-event (RFC 4733), so that both
directions use the same codec. Keys for SRTP are `sip.sdes`'s. Not supported, and therefore refused: SRTP keyed by
DTLS, host names and multicast in c= lines, more than one audio stream.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from sip.format_parameters import answered
from sip.header_extensions import audio_level_id, audio_level_line
from sip.payload_format import (
    EVENTS,
    G722,
    G729,
    L16,
    OPUS,
    PCMA,
    PCMU,
    PTIME_MS,
    TELEPHONE_EVENT,
    Codec,
    number_codecs,
    packet_ms,
    payloads,
    pick_codec,
    type_of,
    with_events,
)
from sip.peer_media import Forbidden, PeerMedia
from sip.sdes import (
    PLAIN,
    Crypto,
    Keys,
    Security,
    accepted_keys,
    answer_keys,
    crypto_lines,
    offer_protocol,
)
from sip.sdp import MediaSection, SdpError, SessionDescription

__all__ = [
    "G722",
    "G729",
    "L16",
    "OPUS",
    "PCMA",
    "PCMU",
    "TELEPHONE_EVENT",
    "Audio",
    "Codec",
    "LocalMedia",
    "accept",
    "answer",
    "audio_address",
    "audio_host",
    "first_common",
    "make_offer",
    "payloads",
    "with_events",
]


class LocalMedia(NamedTuple):
    """Where we receive, and the identity of our description (its o= line).

    ``rtcp_port``: where we receive reports when they are not multiplexed; None: the port after ``port``.
    """

    host: str
    port: int
    session_id: int
    version: int
    rtcp_mux: bool = False
    security: Security = PLAIN
    rtcp_port: int | None = None


class Audio(NamedTuple):
    """A negotiated audio stream.

    ``remote_rtcp_port`` is None when the peer has no usable port for RTCP. ``ptime_ms`` is the packet time
    the peer asked us to send with. ``send`` and ``receive`` are from our side. ``keys`` None: plain RTP.
    """

    remote_host: str
    remote_port: int
    remote_rtcp_port: int | None
    codec: Codec
    send_payload_type: int
    receive_payload_type: int
    send_event_type: int | None
    receive_event_type: int | None
    ptime_ms: int
    send: bool
    receive: bool
    rtcp_mux: bool
    fmtp: str | None = None
    """What the peer says of the codec as it would be sent it."""
    event_rate: int = 8000
    """Timestamps a second of its telephone-event."""
    keys: Keys | None = None
    level_id: int | None = None
    """Id of the header extension in which the peer says how loud it is (RFC 6464)."""

    @property
    def held(self) -> bool:
        """The peer does not want to hear us."""
        return not self.send


def make_offer(
    codecs: Sequence[Codec],
    local: LocalMedia,
    direction: str = "sendrecv",
    *,
    previous: bytes | SessionDescription | None = None,
) -> bytes:
    """Build an offer of one audio stream.

    Args:
        previous: our own last description in this session. Its streams keep their places, with port 0 for
            those that are not audio, and its payload type numbers keep their meaning (RFC 3264 section 8).

    Raises:
        SdpError: SRTP is required and there are no keys to offer.
    """
    lines = _head(local, ["0 0"])
    codecs = [codec for codec in codecs if packet_ms(codec) == PTIME_MS]  # one ptime is said for all
    before = _description(previous).media if previous is not None else ()
    place = _audio_place(before)
    protocol, keyed = offer_protocol(local.security, None if place is None else before[place].protocol)
    own = local.security.keys
    cryptos = own.offers() if keyed and own is not None else ()
    for index, section in enumerate(before):
        if index != place:
            lines += _refusal(section)
            continue
        numbered = number_codecs(codecs, section)
        lines += _audio_lines(
            numbered,
            local,
            direction,
            mux=local.rtcp_mux,
            protocol=protocol,
            cryptos=cryptos,
            level_id=audio_level_id(section),
        )
    if place is None:
        numbered = number_codecs(codecs, None)
        lines += _audio_lines(
            numbered, local, direction, mux=local.rtcp_mux, protocol=protocol, cryptos=cryptos
        )
    return _encode(lines)


def answer(
    offer: bytes | SessionDescription,
    codecs: Sequence[Codec],
    local: LocalMedia,
    direction: str = "sendrecv",
    *,
    forbidden: Forbidden | None = None,
    prefer: Codec | None = None,
) -> tuple[bytes, Audio | None]:
    """Answer an offer (RFC 3264 section 6).

    Args:
        codecs: what we can do, telephone-event included when wanted; the offerer's order decides.
        direction: what we would like; the answer never goes beyond what the offer allows.
        forbidden: says of (host, port) that we must not send media there.
        prefer: a codec to choose before those the offerer would rather have, if it has been offered.

    Returns:
        The answer and the audio stream; None when the offer has no stream that is switched on.

    Raises:
        SdpError: the offer is malformed, or has streams and no audio we can accept (488).
    """
    described = _description(offer)
    lines = _head(local, described.times)
    audio: Audio | None = None
    problem: SdpError | None = None
    for section in described.media:
        if audio is None and section.port:
            try:
                audio, answered = _answer_audio(
                    described, section, codecs, local, direction, forbidden, prefer
                )
                lines += answered
                continue
            except SdpError as error:
                problem = problem or error
        lines += _refusal(section)
    if audio is None and problem is not None:
        raise problem
    return _encode(lines), audio


def accept(
    offer: bytes | SessionDescription,
    answer: bytes | SessionDescription,
    *,
    forbidden: Forbidden | None = None,
) -> Audio | None:
    """Read the answer to our own offer (RFC 3264 section 7); None when the audio was refused.

    Raises:
        SdpError: the answer is malformed, does not match the offer, or has no codec of it.
    """
    ours, theirs = _description(offer), _description(answer)
    _check_shape(ours, theirs)
    place = _audio_place(ours.media)
    if place is None or not ours.media[place].port or not theirs.media[place].port:
        return None
    mine, section = ours.media[place], theirs.media[place]
    remote = PeerMedia.read(theirs, section, forbidden)
    offered = {codec.key: codec for codec in payloads(mine)}
    chosen = [codec for codec in payloads(section) if codec.key in offered]
    codec, event = pick_codec(chosen)
    own = offered[codec.key]
    mux = remote.mux and mine.attribute("rtcp-mux") is not None
    keys = accepted_keys(mine, section)
    own_direction, peer_direction = ours.direction_of(mine), theirs.direction_of(section)
    return Audio(
        remote.host,
        remote.port,
        remote.port if mux else remote.rtcp_port,
        own,
        type_of(codec),
        type_of(own),
        type_of(event) if event else None,
        type_of(offered[event.key]) if event else None,
        remote.ptime_ms,
        _sends(own_direction) and _receives(peer_direction) and not remote.silenced,
        _receives(own_direction) and _sends(peer_direction),
        mux,
        codec.fmtp,
        event.rate if event else own.rate,
        keys,
        audio_level_id(section) if audio_level_id(mine) is not None else None,
    )


def first_common(description: bytes | SessionDescription, codecs: Sequence[Codec]) -> Codec | None:
    """The speech codec its author likes best of those we have.

    Raises:
        SdpError: the description is malformed.
    """
    known = _by_key(tuple(codecs))
    for section in _description(description).media:
        if section.kind == "audio" and section.port:
            likes = [
                known[codec.key] for codec in payloads(section) if codec.key in known and not codec.is_event
            ]
            return likes[0] if likes else None
    return None


def audio_host(description: bytes | SessionDescription) -> str | None:
    """The address the first switched-on audio stream names: tells the caller which family to bind."""
    described = _description(description)
    for section in described.media:
        if section.kind == "audio" and section.port:
            return described.host_of(section)
    return None


def audio_address(description: bytes | SessionDescription) -> tuple[str, int] | None:
    """The address and port the first switched-on audio stream names."""
    described = _description(description)
    for section in described.media:
        if section.kind == "audio" and section.port:
            host = described.host_of(section)
            return None if host is None else (host, section.port)
    return None


# Reading a description


def _check_shape(offer: SessionDescription, answer: SessionDescription) -> None:
    """RFC 3264 section 6: the answer has the same streams in the same order."""
    if [section.kind for section in offer.media] != [section.kind for section in answer.media]:
        raise SdpError("sdp_answer_shape")


def _audio_place(media: Sequence[MediaSection]) -> int | None:
    """Index of the audio stream in use, or of one that can be switched on again."""
    audio = [index for index, section in enumerate(media) if section.kind == "audio"]
    live = [index for index in audio if media[index].port]
    return next(iter(live or audio), None)


def _sends(direction: str) -> bool:
    return direction in ("sendrecv", "sendonly")


def _receives(direction: str) -> bool:
    return direction in ("sendrecv", "recvonly")


# Writing ours


def _answer_audio(
    described: SessionDescription,
    section: MediaSection,
    codecs: Sequence[Codec],
    local: LocalMedia,
    direction: str,
    forbidden: Forbidden | None,
    prefer: Codec | None,
) -> tuple[Audio, list[str]]:
    remote = PeerMedia.read(described, section, forbidden)
    if (":" in remote.host) != (":" in local.host) and not remote.silenced:
        raise SdpError("sdp_address_family")
    known = _by_key(tuple(codecs))
    candidates = [codec for codec in payloads(section) if codec.key in known]
    if prefer is not None:
        candidates.sort(key=lambda codec: codec.key != prefer.key)
    codec, event = pick_codec(candidates)
    theirs = described.direction_of(section)
    send = _sends(direction) and _receives(theirs) and not remote.silenced
    receive = _receives(direction) and _sends(theirs)
    mux = remote.mux and local.rtcp_mux
    chosen = [codec._replace(fmtp=answered(known[codec.key].name, known[codec.key].fmtp, codec.fmtp))]
    if event is not None:
        chosen.append(event._replace(fmtp=EVENTS))
    agreed = answer_keys(section, local.security, remote.host, remote.port)
    cryptos = () if agreed is None else agreed[:1]
    level_id = audio_level_id(section)
    lines = _audio_lines(
        chosen,
        local,
        _word(send, receive),
        mux=mux,
        protocol=section.protocol,
        cryptos=cryptos,
        level_id=level_id,
    )
    payload_type, event_type = type_of(codec), type_of(event) if event else None
    audio = Audio(
        remote.host,
        remote.port,
        remote.port if mux else remote.rtcp_port,
        known[codec.key],
        payload_type,
        payload_type,
        event_type,
        event_type,
        remote.ptime_ms,
        send,
        receive,
        mux,
        codec.fmtp,
        event.rate if event else codec.rate,
        None if agreed is None else agreed[1],
        level_id,
    )
    return audio, lines


@lru_cache(maxsize=64)
def _by_key(codecs: tuple[Codec, ...]) -> dict[tuple[str, int, int], Codec]:
    return {codec.key: codec for codec in codecs}


def _word(send: bool, receive: bool) -> str:
    if send:
        return "sendrecv" if receive else "sendonly"
    return "recvonly" if receive else "inactive"


def _head(local: LocalMedia, times: list[str]) -> list[str]:
    family = "IP6" if ":" in local.host else "IP4"
    lines = [
        "v=0",
        f"o=- {local.session_id} {local.version} IN {family} {local.host}",
        "s=-",
        f"c=IN {family} {local.host}",
    ]
    return lines + [f"t={value}" for value in times or ["0 0"]]


def _audio_lines(
    codecs: Sequence[Codec],
    local: LocalMedia,
    direction: str,
    *,
    mux: bool,
    protocol: str = "RTP/AVP",
    cryptos: Sequence[Crypto] = (),
    level_id: int | None = None,
) -> list[str]:
    types = " ".join([str(codec.payload_type) for codec in codecs])
    lines = [f"m=audio {local.port} {protocol} {types}"]
    for codec in codecs:
        channels = f"/{codec.channels}" if codec.channels != 1 else ""
        lines.append(f"a=rtpmap:{codec.payload_type} {codec.name}/{codec.rate}{channels}")
        if codec.fmtp:
            lines.append(f"a=fmtp:{codec.payload_type} {codec.fmtp}")
    lines.append(f"a=ptime:{min(map(packet_ms, codecs))}")
    lines += crypto_lines(cryptos)
    if mux or local.rtcp_port is not None:  # for who does not multiplex (RFC 5761 section 5.1.1)
        lines.append(f"a=rtcp:{local.rtcp_port or local.port + 1}")
    if mux:
        lines.append("a=rtcp-mux")
    if level_id is not None:
        lines.append(audio_level_line(level_id))
    lines.append(f"a={direction}")
    return lines


def _refusal(section: MediaSection) -> list[str]:
    """Section 6: port zero; the formats are of no meaning and are repeated."""
    return [f"m={section.kind} 0 {section.protocol} {' '.join(section.formats)}"]


def _description(value: bytes | SessionDescription) -> SessionDescription:
    return value if isinstance(value, SessionDescription) else SessionDescription.parse(value)


def _encode(lines: list[str]) -> bytes:
    lines.append("")
    return "\r\n".join(lines).encode()
