"""Many registrations of one link: in turn, never a storm, and all back soon after the registrar is."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from sip.message import Request, response_to
from sip.registration import RegistrationClient, RegistrationState, SendRegister, Trouble
from sip.registration_group import GroupSettings, RegistrationGroup
from tests.sip.test_registration import make_client

TIMER_F = 32.0  # an unanswered request over UDP; retransmitted every 4 s at last
STEP = 0.02


class World:
    """Time, a group of clients and a registrar that can die, forget and come back."""

    def __init__(self, clients: int, settings: GroupSettings | None = None, seed: int = 1) -> None:
        self.now = 100.0
        self.up = True
        self.refuses_connections = False
        self.answers_questions = True  # with what it knows
        self.drops_questions = False
        self.deaf_to: set[str] = set()  # addresses whose requests it drops
        self.bindings: dict[str, str] = {}
        self.sent_at: list[float] = []
        self.transmitted_at: list[float] = []
        self._pending: list[tuple[float, float, RegistrationClient, Request]] = []  # give up, next try
        drawn = random.Random(seed).random
        self.group = RegistrationGroup(drawn, settings)
        self.clients = [make_client(str(number)) for number in range(clients)]
        for client in self.clients:
            client._random = drawn
            self.group.add(client, self.now)
        self.flush()

    def flush(self) -> None:
        for client, output in self.group.take_outputs():
            if isinstance(output, SendRegister):
                self.sent_at.append(self.now)
                give_up = self.now + (TIMER_F if output.timeout is None else output.timeout)
                self._pending.append((give_up, self.now, client, output.request))

    def run(self, seconds: float, until: Callable[[], bool] = lambda: False) -> float:
        """Let time pass in small steps; give how long it took."""
        begun = self.now
        while self.now < begun + seconds and not until():
            self.now += STEP
            if self.group.deadline is not None and self.group.deadline <= self.now:
                self.group.handle_timer(self.now)
            self._registrar()
            self.flush()
        return self.now - begun

    def _registrar(self) -> None:
        pending, self._pending = self._pending, []
        for give_up, next_try, client, request in pending:
            if self.now >= give_up:
                self.group.request_failed(client, "timeout", self.now)
            elif next_try > self.now:
                self._pending.append((give_up, next_try, client, request))
            elif self.up and self._hears(request):
                self._answer(client, request)
            elif self.refuses_connections:
                self.group.request_failed(client, "transport", self.now)
            else:
                self.transmitted_at.append(self.now)
                self._pending.append((give_up, self.now + 4.0, client, request))

    def _hears(self, request: Request) -> bool:
        question = request.expires is None
        return not (question and self.drops_questions) and str(request.to.uri) not in self.deaf_to

    def _answer(self, client: RegistrationClient, request: Request) -> None:
        aor = str(request.to.uri)
        if request.expires is not None:
            self.bindings[aor] = request.headers.get("Contact") or ""
        known = self.bindings.get(aor)
        tells = known and (self.answers_questions or request.expires is not None)
        headers = [("Contact", f"{known};expires=3600")] if tells else []
        self.group.receive_response(client, response_to(request, 200, headers=headers), self.now)

    def all_bound(self) -> bool:
        return len(self.bindings) == len(self.clients) and self.all_registered()

    def all_registered(self) -> bool:
        return all(client.state is RegistrationState.REGISTERED for client in self.clients)

    def states(self) -> set[RegistrationState]:
        return {client.state for client in self.clients}

    def peak(self, since: float) -> int:
        """Give the most requests begun within one second after ``since``."""
        times = [at for at in self.sent_at if at >= since]
        return max((sum(at <= other < at + 1.0 for other in times) for at in times), default=0)


def test_a_hundred_clients_start_one_by_one() -> None:
    world = World(100)
    took = world.run(30.0, world.all_bound)
    assert 3.5 <= took <= 6.0
    assert world.peak(0.0) <= 28


@pytest.mark.parametrize("dead_for", [3.0, 12.0, 60.0, 600.0])
@pytest.mark.parametrize("refuses", [True, False])
@pytest.mark.parametrize("seed", [1, 2])
def test_all_are_back_within_30_s_of_the_registrar(dead_for: float, refuses: bool, seed: int) -> None:
    """It lost its memory, and was gone shorter or longer than anybody would notice by himself."""
    world = World(100, seed=seed)
    world.run(60.0)
    assert world.all_bound()
    world.up, world.refuses_connections, world.bindings = False, refuses, {}
    world.run(dead_for)
    world.up, returned = True, world.now
    took = world.run(60.0, world.all_bound)
    assert took <= 30.0
    assert world.peak(returned) <= 30  # 25 registrations and some questions


def test_a_registrar_that_dies_young_is_noticed_too() -> None:
    world = World(100)
    world.run(6.0, world.all_bound)
    world.up, world.bindings = False, {}
    world.run(2.0)
    world.up = True
    assert world.run(60.0, world.all_bound) <= 30.0


def test_clients_that_had_all_given_up_are_called_back_by_one_success() -> None:
    world = World(100)
    world.up, world.refuses_connections = False, True
    world.run(120.0)
    assert all(client.trouble is Trouble.UNREACHABLE for client in world.clients)
    world.up = True
    world.run(30.0, lambda: len(world.bindings) > 0)
    assert world.run(30.0, world.all_bound) <= 6.0


def test_an_answered_probe_calls_back_too() -> None:
    world = World(10)
    world.up, world.refuses_connections = False, True
    world.run(60.0)
    world.up = True
    world.group.answered(world.now)
    assert world.run(30.0, world.all_bound) <= 1.0


def test_a_probe_that_failed_makes_the_next_answer_count() -> None:
    """The registrar was gone too shortly for any REGISTER to fail."""
    world = World(50)
    world.run(30.0)
    world.group.lost(world.now)
    world.bindings = {}
    world.group.answered(world.now)
    assert world.run(30.0, world.all_bound) <= 4.0


def test_an_answered_probe_without_an_outage_changes_nothing() -> None:
    world = World(3, GroupSettings(verify_every=None))
    world.run(10.0)
    sent = len(world.sent_at)
    world.group.answered(world.now)
    world.run(60.0)
    assert len(world.sent_at) == sent


def test_a_lost_flow_registers_everybody_anew_in_turn() -> None:
    world = World(50)
    world.run(20.0)
    world.bindings = {}
    world.group.flow_lost(world.now)
    assert 1.5 <= world.run(30.0, world.all_bound) <= 3.0


def test_a_quiet_link_asks_rarely_and_nobody_registers_anew() -> None:
    world = World(100)
    world.run(60.0)
    sent = len(world.sent_at)
    world.run(600.0)
    assert 45 <= len(world.sent_at) - sent <= 85


def test_a_registrar_that_does_not_tell_its_bindings_is_soon_not_asked() -> None:
    world = World(20)
    world.answers_questions = False
    world.run(60.0)
    sent = len(world.sent_at)
    world.run(600.0)
    assert len(world.sent_at) == sent
    assert world.all_registered()


def test_without_verification_nothing_is_asked() -> None:
    world = World(5, GroupSettings(verify_every=None))
    world.run(120.0)
    assert len(world.sent_at) == 5


def test_a_removed_client_unregisters_and_is_forgotten() -> None:
    world = World(3)
    world.run(5.0)
    gone = world.clients[0]
    world.group.remove(gone, world.now)
    world.flush()
    world.run(1.0)
    assert gone not in world.group
    assert len(world.group) == len(world.group.clients) == 2


def test_a_client_that_never_registered_is_forgotten_at_once() -> None:
    world = World(1)
    world.group.remove(world.clients[0], world.now)
    assert len(world.group) == 0
    assert world.group.deadline is None


def test_with_nobody_registered_there_is_nobody_to_ask() -> None:
    world = World(1)
    world.run(5.0)
    world.up, world.refuses_connections = False, True
    world.run(60.0)
    assert world.group._verify_at is None


def test_a_person_can_send_one_client_ahead() -> None:
    world = World(2)
    world.up, world.refuses_connections = False, True
    world.run(60.0)
    world.up = True
    world.group.retry(world.clients[1], world.now)
    world.run(0.1)
    assert world.clients[1].state is RegistrationState.REGISTERED


@pytest.mark.parametrize("clients", [1, 2, 100])
@pytest.mark.parametrize("refuses", [True, False])
def test_a_dead_registrar_is_noticed_by_all_within_half_a_minute(clients: int, refuses: bool) -> None:
    """Nobody's registration has run out, but no one could be called: the state has to say so."""
    world = World(clients)
    world.run(60.0)
    world.up, world.refuses_connections, died = False, refuses, world.now
    took = world.run(60.0, lambda: world.states() == {RegistrationState.FAILED})
    assert took <= 25.0
    assert all(client.since >= died and client.last_error for client in world.clients)


def test_a_registrar_that_is_dead_from_the_start_is_said_to_be() -> None:
    world = World(100)
    world.up = False
    world.run(60.0)
    assert world.states() == {RegistrationState.FAILED}


def test_a_dead_registrar_is_not_hammered() -> None:
    """Two feelers at a time, by their retransmissions; not a hundred clients'."""
    world = World(100)
    world.run(60.0)
    world.up, died = False, world.now
    world.run(300.0)
    assert len([at for at in world.transmitted_at if at > died + 30.0]) <= 270 / 4 * 2 + 20


def test_a_registrar_that_is_slow_to_answer_gets_no_more_than_a_window_of_requests() -> None:
    world = World(200, GroupSettings(window=30))
    world.up = False
    world.run(20.0)
    assert len(world.sent_at) == 30
    world.up = True
    assert world.run(30.0, world.all_bound) <= 15.0


def test_one_account_the_registrar_does_not_answer_is_no_outage() -> None:
    """The others are asked for their opinion, and stay as they are."""
    world = World(20)
    world.run(60.0)
    world.deaf_to = {"sip:3@example.net"}
    world.clients[3].refresh(world.now)
    world.group._schedule(world.clients[3])
    failed: set[str] = set()
    for _ in range(300):
        world.run(1.0)
        failed |= {str(each.aor.uri) for each in world.clients if each.state is RegistrationState.FAILED}
    assert failed == world.deaf_to


def test_a_registrar_that_drops_questions_is_soon_not_asked() -> None:
    world = World(20)
    world.drops_questions = True
    world.run(60.0)
    sent = len(world.sent_at)
    assert sent <= 20 + 2 * 3
    world.run(600.0)
    assert len(world.sent_at) == sent
    assert world.all_registered()


def test_a_lone_client_of_a_registrar_that_drops_questions_is_left_in_peace() -> None:
    world = World(1)
    world.drops_questions = True
    world.run(60.0)
    assert world.all_registered()
    sent = len(world.sent_at)
    world.run(600.0)
    assert len(world.sent_at) == sent


def test_a_proxy_that_answers_for_a_dead_registrar_is_no_sign_of_life() -> None:
    world = World(3)
    world.run(30.0)
    world.up, world.refuses_connections = False, True
    world.run(30.0)
    assert world.group._silent
    client = world.clients[0]
    request = Request("REGISTER", "sip:example.net", [("To", "<sip:0@example.net>"), ("Call-ID", "x")])
    world.group.receive_response(client, response_to(request, 408), world.now)
    assert world.group._silent


def test_a_client_removed_while_it_waits_makes_room() -> None:
    world = World(3, GroupSettings(window=1))
    world.up = False
    world.run(1.0)
    assert len(world.sent_at) == 1
    world.group.forget(world.clients[0])
    world.run(1.0)
    assert len(world.sent_at) == 2


def test_questions_go_on_after_a_moment_when_nobody_was_free_to_ask() -> None:
    world = World(1)
    world.run(60.0)
    world.clients[0].refresh(world.now)
    world.group._schedule(world.clients[0])
    world.group.handle_timer(world.now)
    assert world.group._verify_at is not None
    world.group._verify_at = world.now
    world.group.handle_timer(world.now)
    world.flush()
    sent = len(world.sent_at)
    world.run(60.0)
    assert 4 <= len(world.sent_at) - sent <= 9


def test_where_nobody_can_be_asked_each_learns_of_its_own_silence_only() -> None:
    world = World(20)
    world.drops_questions = True
    world.run(60.0)
    world.up = False
    for client in world.clients[:3]:
        client.refresh(world.now)
        world.group._schedule(client)
    world.run(60.0)
    assert [client.state for client in world.clients].count(RegistrationState.FAILED) == 3
