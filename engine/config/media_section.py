"""The keys of the media plane."""

from __future__ import annotations

import ipaddress
import os
from typing import Annotated, Literal

import msgspec

from engine.config.annotation import MAX_SECONDS, IpNetwork, key


class MediaSection(msgspec.Struct, frozen=True, kw_only=True):
    """RTP: the worker processes, their ports and the recordings."""

    workers: Annotated[
        int, key("Media worker processes. 0: one a processor core.", unit="processes", low=0, high=256)
    ] = 0
    ports: Annotated[
        str, key("UDP ports of RTP (even) and RTCP (the next), first and last.", check="port_range")
    ] = "40000-59999"
    codecs: Annotated[
        list[Literal["opus", "G722", "PCMA", "PCMU", "L16", "G729"]],
        key(
            "Codecs offered and accepted, the preferred one first. G729 counts only where libbcg729 is installed.",
            check="some",
            reloads=True,
        ),
    ] = msgspec.field(default_factory=lambda: ["opus", "G722", "PCMA", "PCMU", "G729"])
    opus_band: Annotated[
        Literal["narrow", "wide", "full"],
        key("Sound of Opus legs: up to 4 kHz (narrow), 8 kHz (wide) or 20 kHz (full).", reloads=True),
    ] = "full"
    srtp: Annotated[
        Literal["off", "optional", "required"],
        key(
            "Protection of the sound (SRTP, RFC 4568) where a line or link sets none: refused, taken when offered, or"
            " insisted on.",
            reloads=True,
        ),
    ] = "optional"
    srtp_best_effort: Annotated[
        bool,
        key("Whether keys are offered and taken beside plain RTP, too (RFC 8643).", reloads=True),
    ] = False
    srtp_any_signalling: Annotated[
        bool,
        key(
            "Whether keys may travel over SIP that is not encrypted, where whoever reads it can listen.",
            reloads=True,
        ),
    ] = False
    max_load: Annotated[
        int,
        key(
            "Share of a core that a media worker may use; above it new calls get 503, those that are up stay.",
            unit="percent",
            low=10,
            high=100,
            reloads=True,
        ),
    ] = 85
    room_legs: Annotated[
        int,
        key(
            "Legs of one room that a media worker takes before the room spreads to another with headroom.",
            unit="legs",
            low=1,
            high=100000,
            reloads=True,
        ),
    ] = 1000
    symmetric_from: Annotated[
        list[str],
        key(
            "Networks whose callers, taken without credentials, send media from the address their SDP names "
            "(RFC 4961): their calls share one port a worker.",
            check="networks",
            reloads=True,
            example='["192.0.2.0/24"]',
        ),
    ] = msgspec.field(default_factory=list)
    recordings: Annotated[
        str,
        key(
            "Folder of the recordings. Empty: recordings/ in the data directory.",
            check="path",
            example="/var/lib/polyphony/recordings",
        ),
    ] = ""
    plugins: Annotated[
        list[str],
        key(
            "Plug-ins that are given what callers say and may change it (docs/plugins.md): names of entry points in"
            " the group polyphony.frames, or module:factory.",
            check="plugins",
        ),
    ] = msgspec.field(default_factory=list)
    plugin_budget: Annotated[
        int,
        key(
            "What each plug-in may use of the 20 ms of a tick; then ticks are left out.",
            unit="ms",
            low=1,
            high=15,
        ),
    ] = 2
    recording_format: Annotated[
        Literal["wav", "g711", "flac", "ogg"],
        key(
            "Format of recordings: WAV of 16 bits, WAV of G.711 as it came, FLAC, or Opus in Ogg. "
            "FLAC and Ogg are made of a WAV when a recording is over.",
            reloads=True,
        ),
    ] = "wav"
    recording_max: Annotated[
        int,
        key(
            "Longest single recording; then it is closed.",
            unit="seconds",
            low=1,
            high=MAX_SECONDS,
            reloads=True,
        ),
    ] = 3600

    orphan_time: Annotated[
        int,
        key(
            "How long workers carry calls on when the control process was killed, for its successor to take over.",
            unit="seconds",
            low=0,
            high=3600,
        ),
    ] = 60
    hang_time: Annotated[
        int,
        key(
            "A worker silent for so long is killed, and its calls go on in its successor. 0: never.",
            unit="seconds",
            low=0,
            high=3600,
        ),
    ] = 5

    @property
    def worker_count(self) -> int:
        """``workers``, with 0 replaced by the number of cores this process may use."""
        return self.workers or len(os.sched_getaffinity(0))

    @property
    def symmetric_networks(self) -> tuple[IpNetwork, ...]:
        """``symmetric_from``, parsed."""
        return tuple(ipaddress.ip_network(each) for each in self.symmetric_from)

    @property
    def port_range(self) -> tuple[int, int]:
        """``ports`` as (first, last)."""
        first, _, last = self.ports.partition("-")
        return int(first), int(last)
