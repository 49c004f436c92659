"""Many datagrams in one system call, over real sockets of this machine."""

from __future__ import annotations

import socket

import numpy as np
import pytest

from media.datagrams import AVAILABLE, Inbox, Outbox, address_key, addresses_of, source_keys

pytestmark = pytest.mark.skipif(not AVAILABLE, reason="not on this platform")


def bound(host: str = "127.0.0.1") -> socket.socket:
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    opened.bind((host, 0))
    opened.setblocking(False)
    return opened


def test_keys_and_addresses_are_the_same_thing() -> None:
    """An address becomes a number and back, from text as from the kernel."""
    keys = np.array([address_key("127.0.0.1", 5004), address_key("255.255.255.254", 65535)])
    assert source_keys(addresses_of(keys)).tolist() == keys.tolist()
    assert (keys[0] >> 16, keys[0] & 0xFFFF) == (0x7F000001, 5004)


def test_a_batch_goes_out_and_comes_in() -> None:
    """Rows chosen out of an array reach their destinations; who sent them is told with each."""
    with bound() as sender, bound() as one, bound() as other:
        packets = np.arange(4 * 8, dtype=np.uint8).reshape(4, 8)
        keys = [address_key(*each.getsockname()) for each in (one, other, one, other)]
        destinations = addresses_of(np.array(keys))
        outbox, inbox = Outbox(), Inbox(8, 16)
        outbox.aim(packets, 8, destinations, np.array([3, 0, 2]))
        outbox.resize(np.array([8, 8, 5]))
        assert (len(outbox), outbox.send(sender.fileno())) == (3, 0)
        assert inbox.receive(one.fileno()) == 2
        assert inbox.sizes(2).tolist() == [8, 5]
        assert inbox.data[0, :8].tolist() == packets[0].tolist()
        assert inbox.data[1, :5].tolist() == packets[2, :5].tolist()
        assert source_keys(inbox.sources[:2]).tolist() == [address_key(*sender.getsockname())] * 2
        assert other.recv(16) == packets[3].tobytes()
        assert inbox.receive(one.fileno()) == 0, "nothing is left, and it does not wait"


def test_what_the_kernel_refuses_costs_only_itself() -> None:
    """A destination that cannot be is skipped; those before and after it are served."""
    with bound() as sender, bound() as peer:
        good = address_key(*peer.getsockname())
        destinations = addresses_of(np.array([good, address_key("127.0.0.1", 0), good]))
        outbox = Outbox()
        outbox.aim(np.ones((3, 4), np.uint8), 4, destinations, np.arange(3))
        assert outbox.send(sender.fileno()) == 1
        assert Inbox(4, 8).receive(peer.fileno()) == 2


def test_more_than_one_call_takes() -> None:
    """A batch larger than the kernel takes at once is sent in parts."""
    with bound() as sender, bound() as peer:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        outbox = Outbox()
        destinations = addresses_of(np.full(1500, address_key(*peer.getsockname())))
        outbox.aim(np.zeros((1500, 4), np.uint8), 4, destinations, np.arange(1500))
        assert outbox.send(sender.fileno()) == 0
        inbox = Inbox(2048, 8)
        assert inbox.receive(peer.fileno()) == 1024
