"""Telling systemd how it goes (sd_notify, one datagram a message); without it, nothing."""

from __future__ import annotations

import os
import socket
import time

from twisted.logger import Logger

log = Logger()

READY = "READY=1"
STOPPING = "STOPPING=1"


def reloading() -> str:
    """The configuration is being read; ``READY`` ends it."""
    return f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}"


def notify(message: str) -> bool:
    """Send a message to the service manager, if there is one; whether it went out."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return False
    if address.startswith("@"):
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
            sender.setblocking(False)
            sender.sendto(message.encode(), address)
    except OSError as error:
        log.warn("the service manager was not told {message}: {error}", message=message, error=error)
        return False
    return True
