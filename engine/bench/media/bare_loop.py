"""The kernel's own share: a loop that receives and sends as many packets as a worker would, and does nothing else.

    python -m engine.bench.media.bare_loop own|shared both|receive

It is a process of its own, so that its processor time can be read, and driven by the same generator as the server.
It reads the calls' addresses as one line of JSON and answers with its ports; then it works until it is killed.
"""

from __future__ import annotations

import json
import os
import select
import socket
import sys
import time
from collections import deque
from collections.abc import Callable

import numpy as np

from media.datagrams import Inbox, Outbox, address_key, addresses_of
from media.rtp import FRAME, HEADER_SIZE

TICK = 0.02
ROWS = 1024
ROOM = 1088
_PACKET = bytes([0x80]) + bytes(HEADER_SIZE + FRAME - 1)
_SO_RCVBUFFORCE = 33


def own_sockets(peers: list[tuple[str, int]], *, sends: bool) -> tuple[list[int], Callable[[], None]]:
    """A connected socket a call: epoll, then a readv and a write for each."""
    poll, opened = select.epoll(), []
    for peer in peers:
        each = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        each.bind(("127.0.0.1", 0))
        each.connect(peer)
        each.setblocking(False)
        poll.register(each.fileno(), select.EPOLLIN)
        opened.append(each)
    fds = [each.fileno() for each in opened]
    packets, rows = [_PACKET] * len(fds), [(bytearray(ROOM),) for _ in range(ROWS)]

    def tick() -> None:
        while events := poll.poll(0, ROWS):
            deque(map(os.readv, [fd for fd, _ in events], rows), maxlen=0)
            if len(events) < min(ROWS, len(fds)):
                break
        if sends:
            deque(map(os.write, fds, packets), maxlen=0)

    ports = [each.getsockname()[1] for each in opened]
    _keep.append(opened)
    return ports, tick


def shared_socket(peers: list[tuple[str, int]], *, sends: bool) -> tuple[list[int], Callable[[], None]]:
    """One socket for all calls: recvmmsg and sendmmsg."""
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    opened.bind(("127.0.0.1", 0))
    opened.setblocking(False)
    inbox, outbox = Inbox(ROWS, ROOM), Outbox()
    packets = np.frombuffer(_PACKET * len(peers), np.uint8).reshape(len(peers), -1).copy()
    destinations = addresses_of(np.array([address_key(*peer) for peer in peers], np.int64))
    outbox.aim(packets, packets.shape[1], destinations, np.arange(len(peers)))
    _keep.append([opened, packets, destinations])
    fd = opened.fileno()

    def tick() -> None:
        while inbox.receive(fd) == ROWS:
            pass
        if sends:
            outbox.send(fd)

    return [opened.getsockname()[1]] * len(peers), tick


_keep: list[object] = []
"""What must live as long as the loop."""


def main() -> None:
    """Work until killed."""
    peers = [(str(host), int(port)) for host, port in json.loads(sys.stdin.readline())]
    sends = sys.argv[2] == "both"
    ports, tick = (own_sockets if sys.argv[1] == "own" else shared_socket)(peers, sends=sends)
    sys.stdout.write(json.dumps(ports) + "\n")
    sys.stdout.flush()
    due = time.monotonic() + TICK
    while True:
        time.sleep(max(0.0, due - time.monotonic()))
        due += TICK
        tick()


if __name__ == "__main__":
    main()
