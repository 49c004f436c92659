"""The Twisted side of registrations: one timer, requests by the endpoint, nothing left behind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.task import Clock
from twisted.logger import capturedLogs

from sip.client_requests import RequestFailed
from sip.credentials import Credentials
from sip.message import Request, Response, response_to
from sip.registering import FAREWELL, Registrations
from sip.registration import RegistrationClient, RegistrationState, StateChanged
from sip.registration_group import GroupSettings
from sip.uri import Uri
from tests.sip.test_registration import CONTACT, make_client


class FakeEndpoint:
    """Takes requests and lets the test answer them."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Request, Deferred[Response]]] = []
        self.options: list[dict[str, Any]] = []
        self.at_once: Callable[[Request], Response] | None = None

    def request(self, request: Request, **options: Any) -> Deferred[Response]:
        deferred: Deferred[Response] = Deferred()
        self.options.append(options)
        if self.at_once is not None:
            deferred.callback(self.at_once(request))
        else:
            self.waiting.append((request, deferred))
        return deferred

    def answers(self, status: int = 200) -> Request:
        """Answer the oldest request."""
        request, deferred = self.waiting.pop(0)
        deferred.callback(response_to(request, status))
        return request

    def fails(self, error: Exception) -> None:
        self.waiting.pop(0)[1].errback(error)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def endpoint() -> FakeEndpoint:
    return FakeEndpoint()


@pytest.fixture
def changes() -> list[RegistrationState]:
    return []


@pytest.fixture
def registrations(clock: Clock, endpoint: FakeEndpoint, changes: list[RegistrationState]) -> Registrations:
    def on_change(client: RegistrationClient, change: StateChanged) -> None:
        changes.append(change.state)

    return Registrations(endpoint, clock, lambda: 0.5, on_change, GroupSettings(verify_every=None))


def stop(registrations: Registrations) -> Deferred[None]:
    return ensureDeferred(registrations.stop())


def test_a_client_is_registered_and_refreshed(
    registrations: Registrations, clock: Clock, endpoint: FakeEndpoint, changes: list[RegistrationState]
) -> None:
    client = make_client(credentials=Credentials("example.net", "100", "x"))
    client.next_hop = Uri.parse("sip:192.0.2.1:5080")
    registrations.add(client, "pbx")
    clock.advance(0)
    endpoint.answers()
    assert endpoint.options == [
        {"next_hop": client.next_hop, "credentials": client.credentials, "timeout": None}
    ]
    assert changes == [RegistrationState.REGISTERING, RegistrationState.REGISTERED]
    clock.advance(3600 * 0.7 - 1)
    assert endpoint.waiting == []
    clock.advance(1.01)
    assert endpoint.answers().cseq.number == 2
    assert registrations.clients("pbx") == [client]
    assert registrations.clients("other") == []


def test_one_timer_serves_all_links(registrations: Registrations, clock: Clock) -> None:
    for number in range(50):
        registrations.add(make_client(str(number)), f"link{number % 5}")
    assert len(clock.getDelayedCalls()) == 1


def test_links_are_paced_apart(registrations: Registrations, clock: Clock, endpoint: FakeEndpoint) -> None:
    for number in range(50):
        registrations.add(make_client(str(number)), "a", GroupSettings(rate=10.0, verify_every=None))
        registrations.add(make_client(str(100 + number)), "b", GroupSettings(rate=20.0, verify_every=None))
    clock.pump([0.01] * 200)
    users = [int(request.to.uri.user or 0) for request, _ in endpoint.waiting]
    assert 20 <= sum(user < 100 for user in users) <= 22
    assert 40 <= sum(user >= 100 for user in users) <= 42


@pytest.mark.parametrize("reason", ["timeout", "transport", "unresolved"])
def test_a_failed_request_is_tried_again(
    registrations: Registrations, clock: Clock, endpoint: FakeEndpoint, reason: str
) -> None:
    client = make_client()
    registrations.add(client)
    clock.advance(0)
    endpoint.fails(RequestFailed(reason))
    assert (client.state, client.last_error) == (RegistrationState.FAILED, reason)
    clock.advance(1.6)
    endpoint.answers()
    assert client.state is RegistrationState.REGISTERED


def test_an_unexpected_error_is_logged_and_survived(
    registrations: Registrations, clock: Clock, endpoint: FakeEndpoint
) -> None:
    client = make_client()
    registrations.add(client)
    clock.advance(0)
    with capturedLogs() as logged:
        endpoint.fails(ZeroDivisionError())
    assert (client.state, client.last_error) == (RegistrationState.FAILED, "transport")
    assert [event["aor"] for event in logged] == ["<sip:100@example.net>"]


def test_an_answered_probe_calls_the_link_back(
    registrations: Registrations, clock: Clock, endpoint: FakeEndpoint
) -> None:
    client = make_client()
    registrations.add(client, "pbx")
    clock.advance(0)
    endpoint.fails(RequestFailed("timeout"))
    registrations.link_lost("pbx")
    registrations.link_answered("pbx")
    clock.advance(0.05)
    endpoint.answers()
    assert client.state is RegistrationState.REGISTERED
    registrations.flow_lost("pbx")
    clock.advance(0.05)
    assert endpoint.answers().cseq.number == 3
    registrations.link_answered("no such link")


def test_a_person_can_have_a_refused_client_try_at_once(
    registrations: Registrations, clock: Clock, endpoint: FakeEndpoint
) -> None:
    client = make_client()
    registrations.add(client)
    clock.advance(0)
    endpoint.answers(403)
    registrations.retry(client)
    clock.advance(0.05)
    endpoint.answers()
    assert client.state is RegistrationState.REGISTERED


def test_a_removed_client_unregisters(
    registrations: Registrations, clock: Clock, endpoint: FakeEndpoint, changes: list[RegistrationState]
) -> None:
    client = make_client()
    registrations.add(client)
    clock.advance(0)
    endpoint.answers()
    registrations.remove(client)
    assert endpoint.answers().expires == 0
    assert changes[-2:] == [RegistrationState.UNREGISTERING, RegistrationState.UNREGISTERED]
    assert (registrations.clients(), clock.getDelayedCalls()) == ([], [])


def test_stopping_unregisters_everybody_and_leaves_no_timer(
    registrations: Registrations, clock: Clock, endpoint: FakeEndpoint
) -> None:
    for number in range(3):
        registrations.add(make_client(str(number)))
    clock.pump([0.05] * 4)
    endpoint.answers()
    endpoint.answers()
    stopped = stop(registrations)
    endpoint.fails(RequestFailed("timeout"))  # the third had no answer yet: nothing to take back
    assert [endpoint.answers().expires for _ in range(2)] == [0, 0]
    assert stopped.called
    assert clock.getDelayedCalls() == []


def test_stopping_does_not_wait_for_a_dead_registrar(
    registrations: Registrations, clock: Clock, endpoint: FakeEndpoint
) -> None:
    registrations.add(make_client())
    clock.advance(0)
    endpoint.answers()
    stopped = stop(registrations)
    clock.advance(FAREWELL)
    assert stopped.called
    assert clock.getDelayedCalls() == []


def test_stopping_with_nobody_registered_is_done_at_once(registrations: Registrations, clock: Clock) -> None:
    registrations.add(make_client())
    assert stop(registrations).called
    assert clock.getDelayedCalls() == []


def test_what_arrives_after_the_farewell_is_not_heard(
    registrations: Registrations, clock: Clock, endpoint: FakeEndpoint, changes: list[RegistrationState]
) -> None:
    """An endpoint may give up a request by answering it."""
    registrations.add(make_client())
    clock.advance(0)
    endpoint.answers()
    stopped = stop(registrations)
    request, deferred = endpoint.waiting[0]
    deferred._canceller = lambda _: deferred.callback(response_to(request, 200))
    clock.advance(FAREWELL)
    assert stopped.called
    assert changes[-1] is RegistrationState.UNREGISTERING


def test_a_registrar_that_forgets_is_noticed_without_anybody_listening(
    clock: Clock, endpoint: FakeEndpoint
) -> None:
    registrations = Registrations(endpoint, clock, lambda: 0.5, settings=GroupSettings(verify_every=10.0))
    client = make_client()

    def answer(request: Request) -> Response:
        bound = request.expires is not None
        return response_to(request, 200, headers=[("Contact", f"{CONTACT};expires=3600")] if bound else [])

    endpoint.at_once = answer
    registrations.add(client)
    clock.advance(0)
    clock.advance(10.0)
    clock.advance(0.05)
    assert [each["timeout"] for each in endpoint.options] == [None, 4.0, None]  # registered, asked, and again


def test_an_endpoint_that_answers_at_once_is_fine(
    registrations: Registrations, clock: Clock, endpoint: FakeEndpoint
) -> None:
    endpoint.at_once = lambda request: response_to(request, 200)
    clients = [make_client(str(number)) for number in range(3)]
    for client in clients:
        registrations.add(client)
    clock.pump([0.05] * 4)
    assert {client.state for client in clients} == {RegistrationState.REGISTERED}
    assert stop(registrations).called
    assert {client.state for client in clients} == {RegistrationState.UNREGISTERED}
