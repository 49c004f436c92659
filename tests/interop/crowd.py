"""Many phones' sound in one thread: a tone each, every 20 ms, and when what came back came."""

from __future__ import annotations

import itertools
import select
import threading
import time
from typing import TYPE_CHECKING, Self

from tests.interop.wire_sound import FRAME, TICK, rtp, tone_frames

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.interop.wire_phone import WirePhone


class Crowd(threading.Thread):
    """Speaks for phones that are in a call."""

    def __init__(self, phones: Sequence[WirePhone]) -> None:
        super().__init__(daemon=True)
        self._phones = list(phones)
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._arrivals: list[list[float]] = [[] for _ in phones]
        self._poll = select.epoll()
        self._index = {phone.rtp.fileno(): index for index, phone in enumerate(phones)}
        for phone in phones:
            phone.rtp.setblocking(False)
            self._poll.register(phone.rtp.fileno(), select.EPOLLIN)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join(2)
        self._poll.close()

    def run(self) -> None:
        frames = tone_frames(500)
        due, sent = time.monotonic(), 0
        while not self._over.is_set():
            for index, phone in enumerate(self._phones):
                assert phone.dialog.media is not None
                try:
                    phone.rtp.sendto(rtp(sent, index + 1, frames[sent % 5]), phone.dialog.media)
                except OSError:  # refused, while nobody is there
                    continue
            sent += 1
            due += TICK
            while (left := due - time.monotonic()) > 0:
                self._take(left)
            self._take(0)

    def _take(self, wait: float) -> None:
        for fd, _ in self._poll.poll(wait, len(self._phones)):
            index = self._index[fd]
            try:
                while len(self._phones[index].rtp.recv(2048)) >= FRAME:
                    self._arrivals[index].append(time.monotonic())
            except OSError:
                continue

    def gaps(self, since: float) -> list[float]:
        """The longest time each phone heard nothing since then, in seconds; infinite when nothing came at all."""
        found = []
        for arrivals in self._arrivals:
            later = [at for at in arrivals if at >= since]
            steps = [after - before for before, after in itertools.pairwise(later)]
            found.append(
                max([later[0] - since, *steps, time.monotonic() - later[-1]]) if later else float("inf")
            )
        return found
