"""The streams of the load generator: all calls of one codec over one socket, a tick at a time.

On loopback each call has a source address of its own, out of 127.0.0.0/8: what the server sees is as many
peers as there are calls, at the price of one socket (IP_PKTINFO chooses the source of what is sent and names
the destination of what comes). Elsewhere all calls share our address, and are told apart by the server's port.
"""

from __future__ import annotations

import secrets
import socket
import struct
import time

import numpy as np

from engine.bench.media.ear import ear
from engine.bench.media.heard import Heard
from engine.bench.media.secrecy import TAG_SIZE, Secrecy
from engine.bench.media.sounds import TICKS, SoundSet
from media.datagrams import ADDRESS, Inbox, Outbox, address_key, source_keys
from media.rtp import HEADER_SIZE, Integers, Octets
from sip.sdp import MediaSection

ROWS = 1024
ROOM = 1600
_SO_RCVBUFFORCE, _SO_SNDBUFFORCE, _SO_TIMESTAMPNS, _IP_PKTINFO = 33, 32, 35, 8
_BUFFER = 1 << 24
_FIRST_SOURCE = 127 << 24 | 64 << 16
"""127.64.0.0: the calls' own addresses are counted from here."""

_PKTINFO = np.dtype(
    [
        ("size", "u8"),
        ("level", "i4"),
        ("kind", "i4"),
        ("interface", "i4"),
        ("source", ">u4"),
        ("to", ">u4"),
        ("_", "u4"),
    ]
)
_STAMPED = np.dtype(
    [("size", "u8"), ("level", "i4"), ("kind", "i4"), ("seconds", "i8"), ("ns", "i8"), ("info", _PKTINFO)]
)
"""The ancillary data of one packet, in the kernel's order: its time of arrival, then where it was sent."""

_NOTHING = -1


class Streams:
    """RTP both ways for up to ``capacity`` calls that speak ``sounds``."""

    def __init__(self, sounds: SoundSet, capacity: int, host: str, *, srtp: bool = False) -> None:
        self.sounds = sounds
        self.srtp = srtp
        self.undecipherable = 0
        self.heard = Heard(capacity)
        self.sent = 0
        self.own_sources = host.startswith("127.")
        self._socket = _open(host if not self.own_sources else "0.0.0.0")
        self._host = host
        self.port: int = self._socket.getsockname()[1]
        self._inbox = Inbox(ROWS, ROOM, _STAMPED.itemsize)
        self._outbox = Outbox()
        room = HEADER_SIZE + sounds.payloads.shape[2] + (TAG_SIZE if srtp else 0)
        self._packets: Octets = np.zeros((capacity, room), np.uint8)
        self._headers = self._packets[:, :HEADER_SIZE]
        self._destinations = np.zeros(capacity, ADDRESS)
        self._control = np.zeros((capacity, _PKTINFO.itemsize), np.uint8)
        self._sequence = np.zeros(capacity, np.uint16)
        self._timestamp = np.zeros(capacity, np.uint32)
        self._sound = np.full(capacity, _NOTHING, np.int64)
        self._phase = np.arange(capacity) * 7 % TICKS
        self._senders: Integers = np.zeros(0, np.int64)
        self._changed = False
        self._call_by_key: dict[int, int] = {}
        self._sorted_keys: Integers = np.zeros(0, np.int64)
        self._sorted_calls: Integers = np.zeros(0, np.int64)
        self._secrecy: dict[int, Secrecy] = {}
        self._tick = 0
        self._ear = ear(sounds.codec)
        self._listener = 0

    def source(self, call: int) -> str:
        """The address call number ``call`` sends from, for its description."""
        if not self.own_sources:
            return self._host
        return socket.inet_ntoa(struct.pack("!I", _FIRST_SOURCE + (call // 250 << 8) + call % 250 + 1))

    def describe(self, call: int) -> str:
        """The offer of a call (RFC 8866)."""
        sounds, host = self.sounds, self.source(call)
        lines = [
            "v=0",
            f"o=- {call + 1} 1 IN IP4 {host}",
            "s=-",
            f"c=IN IP4 {host}",
            "t=0 0",
            f"m=audio {self.port} RTP/{'SAVP' if self.srtp else 'AVP'} {sounds.payload_type} 101",
            *([self.secrecy(call).line] if self.srtp else []),
            f"a=rtpmap:{sounds.payload_type} {sounds.rtpmap}",
            *([f"a=fmtp:{sounds.payload_type} {sounds.fmtp}"] if sounds.fmtp else []),
            "a=rtpmap:101 telephone-event/8000",
            "a=ptime:20",
            "a=sendrecv",
            "",
        ]
        return "\r\n".join(lines)

    def secrecy(self, call: int) -> Secrecy:
        """The keys of a call."""
        return self._secrecy.setdefault(call, Secrecy())

    def agree(self, call: int, section: MediaSection) -> bool:
        """Take up what an answer says beside the address; False: it cannot be spoken with."""
        return not self.srtp or self.secrecy(call).accept(section)

    def open(self, call: int, server: tuple[str, int], sound: int | None) -> None:
        """Stream with the server's address; ``sound`` None: only listen."""
        self._destinations[call] = (socket.AF_INET, server[1], _number(server[0]), 0)
        if self.own_sources:
            info = self._control[call].view(_PKTINFO)
            info["size"], info["level"], info["kind"] = 28, socket.IPPROTO_IP, _IP_PKTINFO
            info["source"] = _number(self.source(call))
        self._packets[call, :2] = 0x80, self.sounds.payload_type
        self._packets[call, 8:12] = np.frombuffer(secrets.token_bytes(4), np.uint8)
        self._sequence[call] = secrets.randbits(14)
        self._timestamp[call] = secrets.randbits(30)
        self._sound[call] = _NOTHING if sound is None else sound
        self._call_by_key = {key: each for key, each in self._call_by_key.items() if each != call}
        self._call_by_key[_number(self.source(call)) if self.own_sources else address_key(*server)] = call
        self.heard.begin(call)
        self._changed = True

    def close(self, call: int) -> None:
        """Send nothing more; what still comes is not counted."""
        self._sound[call] = _NOTHING
        self._call_by_key = {key: each for key, each in self._call_by_key.items() if each != call}
        self._secrecy.pop(call, None)
        self._changed = True

    def _arrange(self) -> None:
        self._senders = np.flatnonzero(self._sound >= 0)
        self._aim(self._senders)
        keys = np.array(sorted(self._call_by_key), np.int64)
        self._sorted_keys = keys
        self._sorted_calls = np.array([self._call_by_key[key] for key in keys.tolist()], np.int64)
        self._changed = False

    def _aim(self, rows: Integers) -> None:
        control = self._control if self.own_sources else None
        self._outbox.aim(self._packets, HEADER_SIZE, self._destinations, rows, control)

    def send(self) -> None:
        """Send the next 20 ms of every call."""
        if self._changed:
            self._arrange()
        self._tick += 1
        sounds, rows = self.sounds, self._senders
        at = (self._tick + self._phase[rows]) % TICKS
        sizes = sounds.sizes[self._sound[rows], at]
        self._timestamp[rows] += np.uint32(sounds.timestamp_step)
        speaking = sizes > 0
        if not speaking.all():
            rows, at, sizes = rows[speaking], at[speaking], sizes[speaking]
        if not len(rows):
            return
        self._sequence[rows] += np.uint16(1)
        self._headers[rows, 2:4] = self._sequence[rows].astype(">u2").view(np.uint8).reshape(-1, 2)
        self._headers[rows, 4:8] = self._timestamp[rows].astype(">u4").view(np.uint8).reshape(-1, 4)
        self._packets[rows, HEADER_SIZE : HEADER_SIZE + sounds.payloads.shape[2]] = sounds.payloads[
            self._sound[rows], at
        ]
        sizes = sizes + HEADER_SIZE
        if self.srtp:
            self._protect(rows, sizes)
            sizes += TAG_SIZE
        if len(rows) != len(self._outbox) or not speaking.all():
            self._aim(rows)
        self._outbox.resize(sizes)
        self.sent += len(rows) - self._outbox.send(self._socket.fileno())

    def _protect(self, rows: Integers, sizes: Integers) -> None:
        for row, size in zip(rows.tolist(), sizes.tolist(), strict=True):
            sealed = self._secrecy[row].protect(self._packets[row, :size].tobytes())
            self._packets[row, : len(sealed)] = np.frombuffer(sealed, np.uint8)

    def receive(self) -> int:
        """Take what has come; how many packets that was."""
        if self._changed:
            self._arrange()
        total = 0
        while count := self._inbox.receive(self._socket.fileno()):
            total += count
            self._count(count)
            if count < ROWS:
                break
        return total

    def _count(self, count: int) -> None:
        inbox = self._inbox
        ancillary = inbox.control[:count].view(_STAMPED)[:, 0]
        keys: Integers = ancillary["info"]["to"].astype(np.int64)
        if not self.own_sources:
            keys = source_keys(inbox.sources[:count])
        if not len(self._sorted_keys):
            return
        place = np.minimum(np.searchsorted(self._sorted_keys, keys), len(self._sorted_keys) - 1)
        headers = inbox.data[:count, :HEADER_SIZE]
        fits = (self._sorted_keys[place] == keys) & (inbox.sizes(count) > HEADER_SIZE)
        fits &= (headers[:, 1] & 0x7F) == self.sounds.payload_type
        rows = np.flatnonzero(fits)
        sequences = headers[rows, 2].astype(np.int64) << 8 | headers[rows, 3]
        arrivals = ancillary["seconds"][rows] * 1_000_000_000 + ancillary["ns"][rows]
        calls = self._sorted_calls[place[rows]]
        self.heard.add(calls, sequences, arrivals)
        if self._ear is not None:
            self._listen(calls, rows)

    def _listen(self, calls: Integers, rows: Integers) -> None:
        """Listen to the first of the calls; the others hear the like, and looking at each would cost too much."""
        for row in rows[calls == self._listener].tolist():
            packet = self._inbox.data[row, : self._inbox.sizes(row + 1)[row]].tobytes()
            if self.srtp:
                opened = self.secrecy(self._listener).unprotect(packet)
                if opened is None:
                    self.undecipherable += 1
                    continue
                packet = opened
            if self._ear is not None:
                self._ear.hear(packet[HEADER_SIZE:])

    @property
    def level(self) -> float | None:
        """Root mean square of what the first call heard; None where it cannot be decoded or nothing came."""
        return None if self._ear is None else self._ear.level

    def close_socket(self) -> None:
        """The end."""
        self._socket.close()


def _open(host: str) -> socket.socket:
    """A socket with large buffers that tells when and where its packets came."""
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for plain, forced in ((socket.SO_RCVBUF, _SO_RCVBUFFORCE), (socket.SO_SNDBUF, _SO_SNDBUFFORCE)):
        opened.setsockopt(socket.SOL_SOCKET, plain, _BUFFER)
        try:
            opened.setsockopt(socket.SOL_SOCKET, forced, _BUFFER)
        except PermissionError:
            continue  # what the system grants must do
    opened.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
    opened.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
    opened.bind((host, 0))
    opened.setblocking(False)
    return opened


def _number(host: str) -> int:
    return int.from_bytes(socket.inet_aton(host), "big")


class Pace:
    """The generator's clock: when the next tick is due, and how many came late."""

    LATE = 0.01
    LONGEST_SLEEP = 0.002

    def __init__(self, tick: float) -> None:
        self._tick = tick
        self._due = time.monotonic()
        self.late = 0

    def due(self) -> bool:
        """Whether a tick is due now; otherwise sleep a little."""
        now = time.monotonic()
        if now < self._due:
            time.sleep(min(self._due - now, self.LONGEST_SLEEP))
            return False
        self.late += now - self._due > self.LATE
        self._due += self._tick
        return True
