"""The registrations of one link, kept from storming its registrar.

All clients of a link share one gate: whatever makes many of them due at once (the start, a registrar that
returns, a lost flow) they pass it one by one. A sign of life from the registrar calls back those that were
waiting, and lets one client ask what the registrar still knows of it: a registrar that restarted quickly
has forgotten everybody although nobody's request ever failed.

Silence spreads as well: when two clients in a row get no answer the registrar is dead, and all are told.
While it is dead two feelers are out, no more, so that its return is not met by everybody's retransmissions.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass

from sip.message import Response
from sip.registration import (
    RegistrationClient,
    RegistrationOutput,
    RegistrationState,
    StateChanged,
    Trouble,
    Verified,
)

GroupOutput = tuple[RegistrationClient, RegistrationOutput]

DISTRUST = 2  # verifications answered "not there" without one "there": this registrar does not tell

SILENT = 2  # clients without an answer and no sign of life between them: the registrar is dead

FEELERS = 2  # requests out at a time while it is dead

FIRST_QUESTION = 1.0
"""Seconds after the first success: a registrar that tells its bindings shows it before it ever fails."""


@dataclass(frozen=True, slots=True)
class GroupSettings:
    """How a link's registrations are paced."""

    rate: float = 25.0
    """Registrations begun a second."""
    window: int = 50
    """Requests out and not answered at a time: each would be retransmitted, to a registrar that is slow already."""
    verify_every: float | None = 10.0
    """Seconds between questions whether the registrar still knows us; None: never."""


class RegistrationGroup:
    """Drives the clients of one link. After each call take the outputs and re-arm at ``deadline``."""

    def __init__(self, random: Callable[[], float], settings: GroupSettings | None = None) -> None:
        """Begin without clients; ``random`` gives numbers from 0 to below 1."""
        self._random = random
        self._settings = settings or GroupSettings()
        self._rate = self._settings.rate
        self._clients: dict[RegistrationClient, float | None] = {}  # the deadline each has in the heap
        self._heap: list[tuple[float, int, RegistrationClient]] = []
        self._order = itertools.count()
        self._gate = 0.0
        self._outage = False
        self._waiting: set[RegistrationClient] = set()
        self._silent: set[RegistrationClient] = set()  # who got no answer since the last sign of life
        self._verify_at: float | None = None
        self._trust = 0  # above 0: a verification once said "there"; below: so many "not there" before that
        self._outputs: list[GroupOutput] = []

    def __len__(self) -> int:
        """Count the clients."""
        return len(self._clients)

    def __contains__(self, client: RegistrationClient) -> bool:
        """Tell whether a client is driven here."""
        return client in self._clients

    @property
    def clients(self) -> list[RegistrationClient]:
        """The clients, in the order they came."""
        return list(self._clients)

    @property
    def deadline(self) -> float | None:
        """When ``handle_timer`` is to be called; None: not before something else happens."""
        self._drop_outdated()
        moments = [] if self._verify_at is None else [self._verify_at]
        if self._heap and self._has_room():
            moments.append(max(self._heap[0][0], self._gate))
        return min(moments, default=None)

    def add(self, client: RegistrationClient, now: float) -> None:
        """Start a client, in its turn."""
        self._clients[client] = None
        client.start(now)
        self._collect(client, now)

    def remove(self, client: RegistrationClient, now: float) -> None:
        """Unregister a client; it is forgotten when that is done."""
        client.stop(now)
        self._collect(client, now)
        self.forget(client, only_if_done=True)

    def forget(self, client: RegistrationClient, *, only_if_done: bool = False) -> None:
        """Drop a client."""
        if not only_if_done or client.state is RegistrationState.UNREGISTERED:
            self._clients.pop(client, None)
            self._waiting.discard(client)
            self._silent.discard(client)

    def retry(self, client: RegistrationClient, now: float) -> None:
        """Let a failed client try at once: a person mended its account."""
        client.retry(now, forced=True)
        self._collect(client, now)

    def lost(self, now: float) -> None:
        """Note that the registrar was seen dead (a probe failed): its next sign of life counts."""
        del now
        self._outage = True

    def flow_lost(self, now: float) -> None:
        """Register everybody anew: the connection the registrar reached us by is gone (RFC 5626)."""
        self._refresh_all(now)

    def answered(self, now: float) -> None:
        """Note a sign of life of the registrar (a probe was answered)."""
        if self._outage:
            self._recovered(now)

    def receive_response(self, client: RegistrationClient, response: Response, now: float) -> None:
        """Hand a client the response to its request."""
        client.receive_response(response, now)
        self._collect(client, now)
        if response.status != 408:  # that is a proxy's, for a registrar as dead as any
            self._silent.clear()
        if response.status < 300:
            self.answered(now)

    def request_failed(self, client: RegistrationClient, reason: str, now: float) -> None:
        """Tell a client that its request drew no answer."""
        question = client.asking
        client.request_failed(reason, now)
        if question:
            self._outage = True
            client.refresh(now)  # what it wants to know for sure is whether it can still register
        self._collect(client, now)
        self._note_silence(client, reason, now, question=question)

    def handle_timer(self, now: float) -> None:
        """Let pass who is due, at the rate; ask the registrar when it is time for that."""
        if self._verify_at is not None and now >= self._verify_at:
            self._verify(now)
        self._drop_outdated()
        while self._heap and self._heap[0][0] <= now and self._gate <= now and self._has_room():
            client = heapq.heappop(self._heap)[2]
            self._clients[client] = None
            self._gate = max(self._gate + 1 / self._rate, now - 1 / self._rate)
            client.handle_timer(now)
            self._collect(client, now)
            self._drop_outdated()

    def take_outputs(self) -> list[GroupOutput]:
        """Hand over what the clients want sent and told, oldest first."""
        outputs, self._outputs = self._outputs, []
        return outputs

    def _has_room(self) -> bool:
        """Whether another request may go out while others are not answered."""
        return len(self._waiting) < (FEELERS if self._outage else self._settings.window)

    def _collect(self, client: RegistrationClient, now: float) -> None:
        """Take a client's outputs, act on its news, and put it into the heap by its deadline."""
        for output in client.take_outputs():
            self._outputs.append((client, output))
            if isinstance(output, StateChanged):
                self._note_state(client, now)
            elif isinstance(output, Verified):
                self._note_verified(output.kept, now)
        if client.waiting and client in self._clients:
            self._waiting.add(client)
        else:
            self._waiting.discard(client)
        self._schedule(client)

    def _schedule(self, client: RegistrationClient) -> None:
        if client in self._clients and client.deadline != self._clients[client]:
            self._clients[client] = client.deadline
            if client.deadline is not None:
                heapq.heappush(self._heap, (client.deadline, next(self._order), client))

    def _drop_outdated(self) -> None:
        """Remove heads of the heap whose client is gone or has another deadline by now."""
        while self._heap and self._clients.get(self._heap[0][2]) != self._heap[0][0]:
            heapq.heappop(self._heap)

    def _note_state(self, client: RegistrationClient, now: float) -> None:
        if client.state is RegistrationState.FAILED and client.trouble is Trouble.UNREACHABLE:
            self._outage = True
        elif client.state is RegistrationState.REGISTERED:
            if self._verify_at is None:
                self._plan_verify(now)
        elif client.state is RegistrationState.UNREGISTERED:
            self.forget(client)

    def _note_silence(self, client: RegistrationClient, reason: str, now: float, *, question: bool) -> None:
        """Ask another client's opinion; when that gets no answer either, tell everybody.

        A registrar that leaves questions unanswered while it registers is not asked for long, nor doubted.
        """
        if self._trust <= -DISTRUST:
            return
        if client in self._clients:
            self._silent.add(client)
        if len(self._silent) >= SILENT or (len(self._clients) == 1 and self._trust > 0):
            self._trust = max(self._trust, 0)
            self._died(reason, now)
            return
        if question and self._trust <= 0:
            self._trust -= 1
        if self._trust <= -DISTRUST:
            self._verify_at = None
        elif self._verify_at is not None:
            self._verify_at = now

    def _died(self, reason: str, now: float) -> None:
        self._outage = True
        for client in self.clients:
            client.lose(reason, now)
            self._collect(client, now)

    def _recovered(self, now: float) -> None:
        """Call back those that wait, in their turn, and ask what the registrar still knows."""
        self._outage = False
        for client in self._clients:
            client.retry(now)
            self._schedule(client)
        if self._verify_at is not None:
            self._verify_at = now

    def _refresh_all(self, now: float) -> None:
        for client in self._clients:
            client.refresh(now)
            self._schedule(client)

    def _plan_verify(self, now: float) -> None:
        every = self._settings.verify_every
        if every is None or self._trust <= -DISTRUST:
            self._verify_at = None
            return
        if self._trust == 0:
            every = min(every, FIRST_QUESTION)
        self._verify_at = now + every * (0.75 + self._random() / 2)

    def _verify(self, now: float) -> None:
        """Let the client ask that has gone longest without a word from the registrar."""
        self._plan_verify(now)
        if any(client.asking for client in self._waiting):
            return  # one question at a time: its answer, or silence, decides on the next
        registered = [client for client in self._clients if client.listed and is_registered(client)]
        if not registered:
            self._verify_at = None
            return
        free = (client for client in registered if not client.waiting and client not in self._silent)
        client = min(free, key=lambda one: one.confirmed_at or 0.0, default=None)
        if client is not None:
            client.verify(now)
            self._collect(client, now)

    def _note_verified(self, kept: bool, now: float) -> None:
        if kept:
            if self._trust <= 0:
                self._trust = 1
                self._plan_verify(now)
        elif self._trust > 0:
            self._refresh_all(now)
        else:
            self._trust -= 1
            self._plan_verify(now)


def is_registered(client: RegistrationClient) -> bool:
    """Whether a client believes itself registered."""
    return client.state is RegistrationState.REGISTERED
