"""The folder where workers wait for their engine: one Unix socket each, for the owner only.

Sockets are bound and reached through the folder's own descriptor, so a long path is no obstacle (the system
takes 107 octets).
"""

from __future__ import annotations

import contextlib
import os
import socket
from pathlib import Path

_PREFIX, _SUFFIX = "worker-", ".sock"


class RunFolder:
    """Sockets by the index of their worker. Raises OSError when the folder cannot be used."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.chmod(0o700)
        self._fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    def listen(self, index: int) -> socket.socket:
        """A listening socket for a worker that is to be started; what was there before is gone."""
        name = self._name(index)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name, dir_fd=self._fd)
        opened = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            opened.bind(f"/proc/self/fd/{self._fd}/{name}")
            opened.listen(1)
        except OSError:
            opened.close()
            raise
        return opened

    def connect(self, index: int) -> socket.socket | None:
        """A connection to the worker of that index; None when nobody is there, and its socket is removed."""
        opened = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            opened.setblocking(False)
            opened.connect(f"/proc/self/fd/{self._fd}/{self._name(index)}")
        except OSError:
            opened.close()
            self.remove(index)
            return None
        return opened

    def workers(self) -> list[int]:
        """The indices there are sockets of, whether or not anybody listens."""
        found = []
        for each in self.path.iterdir():
            name = each.name
            number = name.removeprefix(_PREFIX).removesuffix(_SUFFIX)
            if name == self._name_of(number) and number.isascii() and number.isdigit():
                found.append(int(number))
        return sorted(found)

    def remove(self, index: int) -> None:
        """Forget a worker's socket."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._name(index), dir_fd=self._fd)

    def close(self) -> None:
        """After an orderly stop: no worker is left, and no folder."""
        for index in self.workers():
            self.remove(index)
        with contextlib.suppress(OSError):  # somebody else keeps something there
            self.path.rmdir()
        os.close(self._fd)

    @staticmethod
    def _name_of(number: str) -> str:
        return f"{_PREFIX}{number}{_SUFFIX}"

    def _name(self, index: int) -> str:
        return self._name_of(str(index))
