"""One port for many legs: peers that send from the address their SDP names (RFC 4961) are told apart by it.

A tick's packets are read by a few ``recvmmsg`` and sent by a few ``sendmmsg``, out of and into the plane's arrays.
Each source belongs to one leg at most, claimed before the leg's port is told to anybody; what comes from elsewhere is
dropped and counted (security F1). IPv4 only.
"""

from __future__ import annotations

import contextlib
import errno
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from media.coded_outbound import Packet
from media.datagrams import (
    ADDRESS,
    MOST_A_CALL,
    Inbox,
    Outbox,
    Records,
    address_key,
    addresses_of,
    source_keys,
)
from media.rtp import Flags, Integers, Octets
from media.source import Source

ROOM = 1088
"""Octets kept of a datagram, as on a port of a leg's own."""
MOST_ROUNDS = 32
"""Batches read in a tick, and packets of one leg taken out of a batch."""
MOST_REPORTS = 256
"""RTCP packets read in a tick."""
BUFFER = 8 << 20
"""Octets of receive buffer asked for: what all legs send until the next tick must fit."""
PACKET_COST = 1024
"""Octets of that buffer a packet of 172 takes in the kernel: 832 were measured on 6.18."""
TICKS_HELD = 2
_SO_RCVBUFFORCE = 33

Take = Callable[[Integers, Octets, Integers], None]


@dataclass(slots=True)
class _Tenant:
    source: Source
    key: int
    rtcp: Source | None = None
    heard: bool = False


class SharedPort:
    """The two sockets of one port pair and the legs, by slot, that share it. The caller has bound them."""

    def __init__(self, rtp: socket.socket, rtcp: socket.socket, port: int) -> None:
        self.port = port
        self.counters: Counter[str] = Counter()
        self._rtp = rtp
        self._rtcp = rtcp
        self._tenants: dict[int, _Tenant] = {}
        self._slot_by_key: dict[int, int] = {}
        self._slot_by_rtcp: dict[Source, int] = {}
        self._changed = True
        self._keys: Integers = np.zeros(0, np.int64)
        self._slots: Integers = np.zeros(0, np.int64)
        self._inbox = Inbox(MOST_A_CALL, ROOM)
        self._outbox, self._sealed_outbox = Outbox(), Outbox()
        self._destinations: Records = np.zeros(0, ADDRESS)
        self._kept: tuple[object, ...] = ()
        self.most_legs = _enlarge(rtp) // (PACKET_COST * TICKS_HELD)

    def __len__(self) -> int:
        """How many legs share it."""
        return len(self._tenants)

    # Legs.

    def claim(self, slot: int, source: Source) -> bool:
        """Keep a source for a leg. False: it is another's, or the port carries all it can."""
        key = address_key(*source)
        if self._slot_by_key.get(key, slot) != slot or len(self._tenants) >= self.most_legs:
            return False
        self._slot_by_key[key] = slot
        self._tenants[slot] = _Tenant(source, key)
        return True

    def release(self, slot: int) -> None:
        """A leg ends; its source may be another's."""
        tenant = self._tenants.pop(slot)
        del self._slot_by_key[tenant.key]
        if tenant.rtcp is not None:
            del self._slot_by_rtcp[tenant.rtcp]
        self._changed = True

    def hear(self, slot: int, source: Source, rtcp_port: int) -> None:
        """Hear and serve this address only. Raises OSError (EADDRINUSE): it belongs to another leg."""
        tenant = self._tenants[slot]
        if source != tenant.source:
            key = address_key(*source)
            if key in self._slot_by_key:
                raise OSError(errno.EADDRINUSE, "the source is another leg's")
            del self._slot_by_key[tenant.key]
            self._slot_by_key[key] = slot
            tenant.source, tenant.key = source, key
        self._hear_reports(slot, tenant, (source[0], rtcp_port))
        tenant.heard = True
        self._changed = True

    def _hear_reports(self, slot: int, tenant: _Tenant, rtcp: Source) -> None:
        if tenant.rtcp is not None:
            del self._slot_by_rtcp[tenant.rtcp]
        free = 0 < rtcp[1] < 0x10000 and rtcp not in self._slot_by_rtcp
        tenant.rtcp = rtcp if free else None
        if free:
            self._slot_by_rtcp[rtcp] = slot

    def deafen(self, slot: int) -> None:
        """Hear nobody on this leg; its source stays claimed."""
        self._tenants[slot].heard = False
        self._changed = True

    def serves(self, slot: int) -> bool:
        """Whether the leg's peer is known and heard."""
        return self._tenants[slot].heard

    # Receiving.

    def receive(self, take: Take) -> None:
        """Read all that has come and hand it on: slots all different, a datagram a row, and their sizes."""
        if self._changed:
            self._arrange()
        inbox = self._inbox
        for _ in range(MOST_ROUNDS):
            count = inbox.receive(self._rtp.fileno())
            if count:
                self._sort_out(count, take)
            if count < len(inbox.sources):
                return
        self.counters["backlogs"] += 1

    def _arrange(self) -> None:
        heard = sorted((each.key, slot) for slot, each in self._tenants.items() if each.heard)
        self._keys = np.array([key for key, _ in heard], np.int64)
        self._slots = np.array([slot for _, slot in heard], np.int64)
        self._changed = False

    def _sort_out(self, count: int, take: Take) -> None:
        """Find each packet's leg. Strangers' rows are filled with packets from the end of the batch."""
        inbox = self._inbox
        sizes, data = inbox.sizes(count), inbox.data
        keys = source_keys(inbox.sources[:count])
        if not len(self._keys):
            self.counters["shared_port_strangers"] += count
            return
        place = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
        known = self._keys[place] == keys
        slots: Integers = self._slots[place]
        if not known.all():
            kept = _fill_holes(known, data, slots, sizes)
            self.counters["shared_port_strangers"] += count - kept
            slots, sizes = slots[:kept], sizes[:kept]
        turns = _turns(slots)
        if turns is None:
            take(slots, data, sizes)
        else:
            self._take_in_turn(slots, sizes, turns, take)

    def _take_in_turn(self, slots: Integers, sizes: Integers, turns: Integers, take: Take) -> None:
        """A leg has several packets in a batch: hand over the first of each, then the second of each..."""
        self.counters["shared_port_flooded"] += int((turns >= MOST_ROUNDS).sum())
        for turn in range(min(int(turns.max()) + 1, MOST_ROUNDS)):
            rows = np.flatnonzero(turns == turn)
            take(slots[rows], self._inbox.data[rows], sizes[rows])

    def receive_rtcp(self) -> Iterator[tuple[int, bytes, list[tuple[int, int, bytes]]]]:
        """(slot, compound packet, ancillary data) of what has come."""
        for _ in range(MOST_REPORTS):
            try:
                data, ancillary, _, source = self._rtcp.recvmsg(2048, 64)
            except BlockingIOError:
                return
            except OSError:
                self.counters["rtcp_errors"] += 1
                continue
            slot = self._slot_by_rtcp.get(source)
            if slot is None or not self._tenants[slot].heard:
                self.counters["shared_port_strangers"] += 1
            else:
                yield slot, data, ancillary

    # Sending.

    def aim(self, packets: Octets, slots: Integers, sealed: list[tuple[int, memoryview]]) -> None:
        """Say what is sent each tick: row ``slot`` of ``packets`` for each of ``slots``, and protected packets.

        packets: uint8 [capacity, size]. sealed: slot and the memory its packet will be in.
        """
        destinations = np.zeros(len(packets), ADDRESS)
        everybody = [*slots.tolist(), *(slot for slot, _ in sealed)]
        keys = np.array([self._tenants[slot].key for slot in everybody], np.int64)
        destinations[np.array(everybody, np.int64)] = addresses_of(keys)
        self._outbox.aim(packets, packets.shape[1], destinations, slots)
        self._sealed_outbox.aim_at_buffers(
            [view for _, view in sealed], destinations, np.array([slot for slot, _ in sealed], np.int64)
        )
        self._destinations = destinations
        self._kept = (packets, sealed)  # the kernel is given their addresses

    def send(self) -> None:
        """Send this tick's packets."""
        fd = self._rtp.fileno()
        refused = self._outbox.send(fd) + self._sealed_outbox.send(fd)
        if refused:
            self.counters["send_errors"] += refused

    def send_datagram(self, slot: int, data: Packet) -> None:
        """Send one packet outside the arrays."""
        tenant = self._tenants[slot]
        if tenant.heard:
            self._send(self._rtp, data, tenant.source, "send_errors")

    def send_rtcp(self, slot: int, data: bytes, *, muxed: bool) -> None:
        """Send a compound packet, unless the leg's peer is not known for sure."""
        tenant = self._tenants[slot]
        if muxed and tenant.heard:
            self._send(self._rtp, data, tenant.source, "rtcp_errors")
        elif tenant.heard and tenant.rtcp is not None:
            self._send(self._rtcp, data, tenant.rtcp, "rtcp_errors")

    def _send(self, through: socket.socket, data: Packet, to: Source, label: str) -> None:
        try:
            through.sendto(data, to)
        except OSError:
            self.counters[label] += 1

    def close(self) -> None:
        """Shut the sockets."""
        self._rtp.close()
        self._rtcp.close()


def _enlarge(opened: socket.socket) -> int:
    """Ask for a large receive buffer; the octets granted."""
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
    with contextlib.suppress(
        PermissionError
    ):  # net.core.rmem_max is the limit then, and fewer legs share the port
        opened.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, BUFFER)
    return opened.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)


def _fill_holes(known: Flags, data: Octets, slots: Integers, sizes: Integers) -> int:
    """Move rows from the end into those not known; how many there are in the end. All arrays change in place."""
    kept = int(known.sum())
    holes = np.flatnonzero(~known[:kept])
    movers = kept + np.flatnonzero(known[kept:])
    data[holes], slots[holes], sizes[holes] = data[movers], slots[movers], sizes[movers]
    return kept


def _turns(slots: Integers) -> Integers | None:
    """How many packets of the same slot came before each; None when all slots are different."""
    order = np.argsort(slots, kind="stable")
    in_order = slots[order]
    again = in_order[1:] == in_order[:-1]
    if not again.any():
        return None
    begins = np.concatenate([[True], ~again])
    starts = np.maximum.accumulate(np.where(begins, np.arange(len(slots)), 0))
    turns = np.empty(len(slots), np.int64)
    turns[order] = np.arange(len(slots)) - starts
    return turns
