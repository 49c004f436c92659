"""What the service manager is told."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from engine.notify import READY, notify, reloading


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> socket.socket:
    path = tmp_path / "notify"
    opened = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    opened.bind(str(path))
    opened.settimeout(2)
    monkeypatch.setenv("NOTIFY_SOCKET", str(path))
    return opened


def test_a_message_is_one_datagram(manager: socket.socket) -> None:
    """Whole, however many lines it has."""
    with manager:
        assert notify(READY)
        assert notify(reloading())
        assert manager.recv(100) == b"READY=1"
        assert manager.recv(100).startswith(b"RELOADING=1\nMONOTONIC_USEC=")


def test_an_abstract_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """A leading @ stands for the null octet."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as opened:
        name = f"polyphony-test-notify-{os.getpid()}"
        opened.bind(f"\0{name}")
        opened.settimeout(2)
        monkeypatch.setenv("NOTIFY_SOCKET", f"@{name}")
        assert notify(READY)
        assert opened.recv(100) == b"READY=1"


@pytest.mark.parametrize("address", ["", "vsock:1:2", "/nowhere/at/all"])
def test_without_a_manager(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    """Nothing happens, whether there is none, or it is gone."""
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    assert not notify(READY)
