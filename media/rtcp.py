"""RTCP packets: SR, RR, SDES with a CNAME and BYE (RFC 3550 section 6), XR (RFC 3611); others are read over."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from media.rtcp_xr import VoipMetrics, voip_metrics

VERSION = 2
SENDER_REPORT, RECEIVER_REPORT, SOURCE_DESCRIPTION, GOODBYE = 200, 201, 202, 203
EXTENDED_REPORT = 207
_CNAME = 1
_MOST_COUNT = 31  # the count field has five bits
_HEADER = struct.Struct("!BBH")
_SENDER = struct.Struct("!IQIII")
_BLOCK = struct.Struct("!IIIIII")
_WORD = struct.Struct("!I")


class RtcpError(Exception):
    """A datagram that is not compound RTCP; ``reason`` is a stable counter label."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class ReportBlock:
    """What one receiver says of one source (section 6.4.1). ``delay_since_last_report``: 1/65536 s."""

    ssrc: int
    fraction_lost: int
    cumulative_lost: int
    highest_sequence: int
    jitter: int
    last_report: int
    delay_since_last_report: int

    def serialise(self) -> bytes:
        """The 24 octets."""
        lost = self.fraction_lost << 24 | self.cumulative_lost & 0xFFFFFF
        return _BLOCK.pack(
            self.ssrc,
            lost,
            self.highest_sequence,
            self.jitter,
            self.last_report,
            self.delay_since_last_report,
        )

    @classmethod
    def parse(cls, data: bytes, at: int) -> ReportBlock:
        """Read the block at an offset; the caller has checked that it is whole."""
        ssrc, lost, highest, jitter, last, delay = _BLOCK.unpack_from(data, at)
        cumulative = (lost & 0xFFFFFF ^ 0x800000) - 0x800000  # 24 bits with sign
        return cls(ssrc, lost >> 24, cumulative, highest, jitter, last, delay)


@dataclass(frozen=True, slots=True)
class SenderReport:
    """SR (section 6.4.1). ``ntp``: 64 bits, seconds since 1900 and their fraction."""

    ssrc: int
    ntp: int
    timestamp: int
    packets: int
    octets: int
    blocks: tuple[ReportBlock, ...] = ()

    def serialise(self) -> bytes:
        """The packet in network form."""
        body = _SENDER.pack(self.ssrc, self.ntp, self.timestamp, self.packets, self.octets)
        return _packet(SENDER_REPORT, len(self.blocks), body + b"".join(b.serialise() for b in self.blocks))


@dataclass(frozen=True, slots=True)
class ReceiverReport:
    """RR (section 6.4.2)."""

    ssrc: int
    blocks: tuple[ReportBlock, ...] = ()

    def serialise(self) -> bytes:
        """The packet in network form."""
        body = _WORD.pack(self.ssrc) + b"".join(block.serialise() for block in self.blocks)
        return _packet(RECEIVER_REPORT, len(self.blocks), body)


@dataclass(frozen=True, slots=True)
class SourceDescription:
    """SDES with one chunk and nothing but its CNAME (section 6.5.1)."""

    ssrc: int
    cname: str

    def serialise(self) -> bytes:
        """The packet in network form."""
        name = self.cname.encode()[:255]
        items = bytes((_CNAME, len(name))) + name
        items += bytes(4 - len(items) % 4)  # at least one null ends the chunk
        return _packet(SOURCE_DESCRIPTION, 1, _WORD.pack(self.ssrc) + items)


@dataclass(frozen=True, slots=True)
class Goodbye:
    """BYE (section 6.6), its reason left out."""

    ssrcs: tuple[int, ...]

    def serialise(self) -> bytes:
        """The packet in network form."""
        return _packet(GOODBYE, len(self.ssrcs), b"".join(_WORD.pack(ssrc) for ssrc in self.ssrcs))


@dataclass(frozen=True, slots=True)
class ExtendedReport:
    """XR (RFC 3611 section 2) with its VoIP metrics blocks; it needs no agreement in SDP (section 5)."""

    ssrc: int
    metrics: tuple[VoipMetrics, ...] = ()

    def serialise(self) -> bytes:
        """The packet in network form."""
        body = _WORD.pack(self.ssrc) + b"".join(each.serialise() for each in self.metrics)
        return _packet(EXTENDED_REPORT, 0, body)


RtcpPacket = SenderReport | ReceiverReport | SourceDescription | Goodbye | ExtendedReport


def _packet(kind: int, count: int, body: bytes) -> bytes:
    if count > _MOST_COUNT:
        raise ValueError(f"{count} items in one RTCP packet")
    return _HEADER.pack(VERSION << 6 | count, kind, len(body) // 4) + body


def serialise_compound(packets: list[RtcpPacket]) -> bytes:
    """Several packets as one datagram; a report goes first (section 6.1)."""
    return b"".join(packet.serialise() for packet in packets)


def parse_compound(data: bytes) -> list[RtcpPacket]:
    """Read a datagram, with the checks of RFC 3550 appendix A.2. Types we do not know are left out.

    Raises RtcpError: ``length``, ``version``, ``not_a_report``, ``padding``, ``truncated``.
    """
    packets: list[RtcpPacket] = []
    for kind, count, body in _split(data):
        reader = _READERS.get(kind)
        if reader is not None:
            packets += reader(count, body)
    return packets


def _split(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """(type, count, body) of the packets in a datagram."""
    if len(data) < 8 or len(data) % 4:
        raise RtcpError("length")
    at = 0
    while at < len(data):
        first, kind, words = _HEADER.unpack_from(data, at)
        end = at + 4 + 4 * words
        if first >> 6 != VERSION:
            raise RtcpError("version")
        if at == 0 and kind not in (SENDER_REPORT, RECEIVER_REPORT):
            raise RtcpError("not_a_report")
        if end > len(data):
            raise RtcpError("truncated")
        padding = 0
        if first & 0x20:  # only the last packet may be padded
            padding = data[end - 1]
            if end != len(data) or padding % 4 or not 4 <= padding <= end - at - 4:
                raise RtcpError("padding")
        yield kind, first & 0x1F, data[at + 4 : end - padding]
        at = end


def _blocks(count: int, body: bytes, at: int) -> tuple[ReportBlock, ...]:
    if len(body) < at + count * _BLOCK.size:
        raise RtcpError("truncated")
    return tuple(ReportBlock.parse(body, at + i * _BLOCK.size) for i in range(count))


def _read_sender_report(count: int, body: bytes) -> list[RtcpPacket]:
    if len(body) < _SENDER.size:
        raise RtcpError("truncated")
    ssrc, ntp, timestamp, packets, octets = _SENDER.unpack_from(body)
    return [SenderReport(ssrc, ntp, timestamp, packets, octets, _blocks(count, body, _SENDER.size))]


def _read_receiver_report(count: int, body: bytes) -> list[RtcpPacket]:
    if len(body) < _WORD.size:
        raise RtcpError("truncated")
    return [ReceiverReport(_WORD.unpack_from(body)[0], _blocks(count, body, _WORD.size))]


def _read_source_description(count: int, body: bytes) -> list[RtcpPacket]:
    """The CNAMEs; other items are skipped."""
    found: list[RtcpPacket] = []
    at = 0
    for _ in range(count):
        if at + 4 > len(body):
            raise RtcpError("truncated")
        ssrc = _WORD.unpack_from(body, at)[0]
        at += 4
        while True:
            if at >= len(body):
                raise RtcpError("truncated")
            if body[at] == 0:
                at = (at // 4 + 1) * 4  # nulls up to the word boundary
                break
            if at + 2 > len(body) or at + 2 + body[at + 1] > len(body):
                raise RtcpError("truncated")
            if body[at] == _CNAME:
                name = body[at + 2 : at + 2 + body[at + 1]].decode("utf-8", "replace")
                found.append(SourceDescription(ssrc, name))
            at += 2 + body[at + 1]
    return found


def _read_goodbye(count: int, body: bytes) -> list[RtcpPacket]:
    if len(body) < 4 * count:
        raise RtcpError("truncated")
    return [Goodbye(struct.unpack_from(f"!{count}I", body))]


def _read_extended_report(count: int, body: bytes) -> list[RtcpPacket]:
    if len(body) < _WORD.size:
        raise RtcpError("truncated")
    return [ExtendedReport(_WORD.unpack_from(body)[0], tuple(voip_metrics(body[_WORD.size :])))]


_READERS: dict[int, Callable[[int, bytes], list[RtcpPacket]]] = {
    SENDER_REPORT: _read_sender_report,
    RECEIVER_REPORT: _read_receiver_report,
    SOURCE_DESCRIPTION: _read_source_description,
    GOODBYE: _read_goodbye,
    EXTENDED_REPORT: _read_extended_report,
}
