"""Keeps registrations going under a reactor: one timer for all of them, requests by the endpoint."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from sip.client_requests import TRANSPORT, RequestFailed
from sip.registration import RegistrationClient, SendRegister, StateChanged
from sip.registration_group import GroupSettings, RegistrationGroup

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall, IReactorTime
    from twisted.python.failure import Failure

    from sip.credentials import Credentials
    from sip.flow import Flow
    from sip.message import Request, Response
    from sip.uri import Uri

log = Logger()

FAREWELL = 3.0
"""Seconds that ``stop`` waits for registrars to answer."""

OnChange = Callable[[RegistrationClient, StateChanged], None]


class Requester(Protocol):
    """What sends for us; ``sip.endpoint.Endpoint`` does."""

    def request(
        self,
        request: Request,
        *,
        flow: Flow | None = None,
        next_hop: Uri | None = None,
        credentials: Credentials | None = None,
        timeout: float | None = None,
    ) -> Deferred[Response]:
        """Send a request outside of dialogs. Fails with RequestFailed."""


class Registrations:
    """All registrations of a process, in groups by link. Everything happens in the reactor's thread."""

    def __init__(
        self,
        endpoint: Requester,
        clock: IReactorTime,
        random: Callable[[], float],
        on_change: OnChange | None = None,
        settings: GroupSettings | None = None,
    ) -> None:
        """Send by ``endpoint``; ``on_change`` hears each change of state."""
        self._endpoint = endpoint
        self._clock = clock
        self._random = random
        self._on_change = on_change
        self._settings = settings
        self._groups: dict[str, RegistrationGroup] = {}
        self._links: dict[RegistrationClient, str] = {}
        self._waiting: dict[Deferred[Response], RegistrationClient] = {}
        self._timer: IDelayedCall | None = None
        self._flushing = False
        self._stopped: Deferred[None] | None = None

    def add(self, client: RegistrationClient, link: str = "", settings: GroupSettings | None = None) -> None:
        """Register a client and keep it so; those of one ``link`` are paced together.

        ``settings`` count for the first client of a link.
        """
        if link not in self._groups:
            self._groups[link] = RegistrationGroup(self._random, settings or self._settings)
        self._links[client] = link
        self._groups[link].add(client, self._clock.seconds())
        self._flush()

    def remove(self, client: RegistrationClient) -> None:
        """Unregister a client and forget it."""
        self._group(client).remove(client, self._clock.seconds())
        self._flush()

    def retry(self, client: RegistrationClient) -> None:
        """Let a failed client try at once."""
        self._group(client).retry(client, self._clock.seconds())
        self._flush()

    def clients(self, link: str = "") -> list[RegistrationClient]:
        """List the clients of a link."""
        group = self._groups.get(link)
        return group.clients if group else []

    def link_lost(self, link: str) -> None:
        """Hear that a probe of the link was not answered."""
        self._tell(link, RegistrationGroup.lost)

    def link_answered(self, link: str) -> None:
        """Hear that a probe of the link was answered: whoever waits for its return is called back."""
        self._tell(link, RegistrationGroup.answered)

    def flow_lost(self, link: str) -> None:
        """Hear that the connection to the link is gone: everybody registers anew, in turn."""
        self._tell(link, RegistrationGroup.flow_lost)

    async def stop(self) -> None:
        """Unregister everybody, wait a little for the answers, and leave no timer behind."""
        now = self._clock.seconds()
        for client, link in list(self._links.items()):
            self._groups[link].remove(client, now)
        self._flush()
        if self._waiting:
            stopped = self._stopped = Deferred()
            late = self._clock.callLater(FAREWELL, self._give_up, stopped)
            await stopped
            if late.active():
                late.cancel()
        self._groups.clear()
        self._links.clear()
        self._arm()

    def _give_up(self, stopped: Deferred[None]) -> None:
        """Wait no longer: what is still on its way is not heard any more."""
        self._stopped = None
        waiting, self._waiting = self._waiting, {}
        for deferred in waiting:
            deferred.cancel()
        stopped.callback(None)

    def _group(self, client: RegistrationClient) -> RegistrationGroup:
        return self._groups[self._links[client]]

    def _tell(self, link: str, what: Callable[[RegistrationGroup, float], None]) -> None:
        group = self._groups.get(link)
        if group is not None:
            what(group, self._clock.seconds())
            self._flush()

    def _flush(self) -> None:
        """Send and tell what is pending, then re-arm the one timer."""
        if self._flushing:
            return
        self._flushing = True
        try:
            while outputs := [one for group in self._groups.values() for one in group.take_outputs()]:
                for client, output in outputs:
                    if isinstance(output, SendRegister):
                        self._send(client, output)
                    elif isinstance(output, StateChanged):
                        self._changed(client, output)
        finally:
            self._flushing = False
        self._arm()
        if self._stopped is not None and not self._waiting:
            stopped, self._stopped = self._stopped, None
            stopped.callback(None)

    def _changed(self, client: RegistrationClient, change: StateChanged) -> None:
        link = self._links.get(client)
        if link is not None and client not in self._groups[link]:
            del self._links[client]
        if self._on_change is not None:
            self._on_change(client, change)

    def _send(self, client: RegistrationClient, register: SendRegister) -> None:
        deferred = self._endpoint.request(
            register.request,
            next_hop=client.next_hop,
            credentials=client.credentials,
            timeout=register.timeout,
        )
        self._waiting[deferred] = client
        deferred.addCallbacks(self._answered, self._failed, callbackArgs=(deferred,), errbackArgs=(deferred,))
        deferred.addErrback(
            lambda failure: log.failure("registration of {aor}", failure, aor=str(client.aor))
        )

    def _answered(self, response: Response, deferred: Deferred[Response]) -> None:
        client = self._waiting.pop(deferred, None)
        if client is None:
            return
        self._group(client).receive_response(client, response, self._clock.seconds())
        self._flush()

    def _failed(self, failure: Failure, deferred: Deferred[Response]) -> None:
        client = self._waiting.pop(deferred, None)
        if client is None:
            return
        reason = TRANSPORT
        if isinstance(failure.value, RequestFailed):
            reason = failure.value.reason
        else:
            log.failure("registration of {aor}", failure, aor=str(client.aor))
        self._group(client).request_failed(client, reason, self._clock.seconds())
        self._flush()

    def _arm(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        moments = [group.deadline for group in self._groups.values()]
        at = min((moment for moment in moments if moment is not None), default=None)
        self._timer = (
            None if at is None else self._clock.callLater(max(0.0, at - self._clock.seconds()), self._fire)
        )

    def _fire(self) -> None:
        now = self._clock.seconds()
        for group in self._groups.values():
            group.handle_timer(now)
        self._flush()
