"""One registration: what it asks for, how it takes the answers, and when it tries again."""

from __future__ import annotations

import pytest

from sip.credentials import Credentials
from sip.digest import Authorization, Challenge
from sip.message import Request, Response, parse_message, response_to
from sip.registration import (
    RegistrationClient,
    RegistrationState,
    SendRegister,
    StateChanged,
    Trouble,
    Verified,
)
from sip.registration_times import RegistrationSettings, retry_after, retry_wait
from sip.uri import NameAddr, Uri

CONTACT = "<sip:100@192.0.2.9:5070>"


def make_client(
    user: str = "100",
    *,
    drawn: float = 0.5,
    credentials: Credentials | None = None,
    settings: RegistrationSettings | None = None,
) -> RegistrationClient:
    return RegistrationClient(
        aor=NameAddr.parse(f"<sip:{user}@example.net>"),
        registrar=Uri.parse("sip:example.net"),
        contact=NameAddr.parse(CONTACT.replace("100", user)),
        call_id=f"{user}@here",
        from_tag="tag",
        random=lambda: drawn,
        credentials=credentials,
        settings=settings,
    )


class Story:
    """A client and its registrar, told as a dialogue."""

    def __init__(self, client: RegistrationClient) -> None:
        self.client = client
        self.states: list[RegistrationState] = []
        self.verified: list[bool] = []
        self._sent: list[Request] = []

    def sent(self) -> Request:
        """Take the one request the client has sent; it must be one our own parser takes."""
        self._drain()
        [request] = self._sent
        self._sent = []
        wire = request.copy()
        wire.headers.prepend("Via", "SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKx")
        assert parse_message(wire.serialise()) == wire
        return request

    def silent(self) -> bool:
        self._drain()
        return not self._sent

    def starts(self, now: float = 0.0) -> Request:
        self.client.start(now)
        self.client.handle_timer(now)
        return self.sent()

    def wakes(self, now: float) -> Request:
        """Nothing happens before the deadline; at it the client sends."""
        assert self.client.deadline == pytest.approx(now)
        self.client.handle_timer(now - 0.01)
        assert self.silent()
        self.client.handle_timer(now + 1e-6)
        return self.sent()

    def hears(self, request: Request, status: int, *headers: tuple[str, str], now: float = 0.0) -> None:
        response = response_to(request, status, headers=headers)
        self.client.receive_response(response, now)

    def registered(self, *headers: tuple[str, str], now: float = 0.0) -> None:
        self.hears(self.starts(now), 200, *(headers or [("Contact", f"{CONTACT};expires=100")]), now=now)
        assert self.client.state is RegistrationState.REGISTERED

    def _drain(self) -> None:
        for output in self.client.take_outputs():
            if isinstance(output, SendRegister):
                self._sent.append(output.request)
            elif isinstance(output, StateChanged):
                self.states.append(output.state)
            else:
                self.verified.append(output.kept)


@pytest.fixture
def story() -> Story:
    return Story(make_client())


def test_the_request_is_by_rfc_3261_section_10_2(story: Story) -> None:
    request = story.starts()
    headers = request.headers
    assert (request.method, request.uri) == ("REGISTER", "sip:example.net")
    assert (headers.get("To"), headers.get("From")) == (
        "<sip:100@example.net>", "<sip:100@example.net>;tag=tag",
    )  # fmt: skip
    assert (headers.get("Contact"), headers.get("Expires")) == (CONTACT, "3600")
    assert (request.call_id, request.cseq.number, request.supported) == ("100@here", 1, ["path"])


@pytest.mark.parametrize(
    ("headers", "granted"),
    [
        ([("Contact", f"<sip:other@192.0.2.1>;expires=7, {CONTACT};expires=100")], 100),
        ([("Contact", CONTACT), ("Expires", "200")], 200),
        ([("Contact", f"{CONTACT};expires=x")], 3600),
        ([("Date", "today")], 3600),
    ],
)
def test_it_refreshes_at_a_fraction_of_what_was_granted(
    story: Story, headers: list[tuple[str, str]], granted: int
) -> None:
    story.registered(*headers, now=10.0)
    assert story.client.expires_at == 10.0 + granted
    assert story.wakes(10.0 + granted * 0.7).cseq.number == 2
    assert story.states == [RegistrationState.REGISTERING, RegistrationState.REGISTERED]


def test_a_grant_of_nothing_is_a_failure(story: Story) -> None:
    story.hears(story.starts(), 200, ("Contact", f"{CONTACT};expires=0"))
    assert (story.client.state, story.client.last_error) == (RegistrationState.FAILED, "nothing granted")


def test_path_service_route_and_outbound_are_taken() -> None:
    settings = RegistrationSettings(instance_id="urn:uuid:0", reg_id=2)
    story = Story(make_client(settings=settings))
    request = story.starts()
    assert request.supported == ["path", "outbound"]
    [contact] = request.contacts
    assert (contact.param("+sip.instance"), contact.param("reg-id")) == ("<urn:uuid:0>", "2")
    story.hears(
        request,
        200,
        ("Contact", f"{CONTACT};expires=100"),
        ("Path", "<sip:edge.example.net;lr;ob>"),
        ("Service-Route", "<sip:a.example.net;lr>, <sip:b.example.net;lr>"),
        ("Require", "outbound"),
        ("Flow-Timer", "95"),
    )
    client = story.client
    assert [str(route.uri) for route in client.service_route] == [
        "sip:a.example.net;lr",
        "sip:b.example.net;lr",
    ]
    assert client.path == ("<sip:edge.example.net;lr;ob>",)
    assert (client.outbound, client.keep_alive) == (True, 95)


def test_a_broken_service_route_is_no_route(story: Story) -> None:
    story.registered(("Service-Route", "<sip:a"), ("Flow-Timer", "5"))
    assert (story.client.service_route, story.client.keep_alive) == ((), None)


def test_a_first_hop_without_outbound_is_registered_through_without(story: Story) -> None:
    story = Story(make_client(settings=RegistrationSettings(instance_id="urn:uuid:0")))
    story.hears(story.starts(), 439)
    request = story.sent()
    assert request.supported == ["path"]
    assert request.contacts[0].param("reg-id") is None


@pytest.mark.parametrize(
    ("status", "asks", "answers"),
    [(401, "WWW-Authenticate", "Authorization"), (407, "Proxy-Authenticate", "Proxy-Authorization")],
)
def test_a_challenge_is_answered_at_once(status: int, asks: str, answers: str) -> None:
    story = Story(make_client(credentials=Credentials("example.net", "100", "secret")))
    first = story.starts()
    first.headers.prepend("Via", "SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKx")
    story.hears(first, status, (asks, str(Challenge("example.net", "n", "SHA-256", ("auth",)))))
    second = story.sent()
    assert Authorization.parse(second.headers.get(answers) or "") is not None
    assert (second.cseq.number, "Via" in second.headers) == (2, False)
    story.hears(second, 200)
    assert story.client.state is RegistrationState.REGISTERED


def test_a_driver_that_answers_challenges_itself_is_followed(story: Story) -> None:
    """The final response then has a higher CSeq than the request we gave out."""
    request = story.starts()
    repeated = request.copy()
    repeated.headers.set("CSeq", "2 REGISTER")
    story.hears(repeated, 200, ("Contact", f"{CONTACT};expires=100"))
    assert story.wakes(70.0).cseq.number == 3


def test_a_wrong_password_is_not_tried_again_for_minutes() -> None:
    story = Story(make_client(credentials=Credentials("example.net", "100", "secret")))
    challenge = ("WWW-Authenticate", str(Challenge("example.net", "n")))
    story.hears(story.starts(), 401, challenge)
    story.hears(story.sent(), 401, challenge)
    assert (story.client.state, story.client.trouble) == (RegistrationState.FAILED, Trouble.REFUSED)
    assert story.client.last_error == "401 Unauthorized"
    story.client.retry(1.0)  # a sign of life of the registrar
    story.wakes(150.0)


def test_refusals_wait_longer_each_time_up_to_an_hour(story: Story) -> None:
    request, waits, now = story.starts(), [], 0.0
    for _ in range(7):
        story.hears(request, 403, now=now)
        assert story.client.deadline is not None
        waits.append(story.client.deadline - now)
        now = story.client.deadline
        request = story.wakes(now)
    assert waits == [150.0, 300.0, 600.0, 1200.0, 2400.0, 3600.0, 3600.0]


def test_a_person_can_have_a_refused_client_try_at_once(story: Story) -> None:
    story.hears(story.starts(), 404)
    story.client.retry(5.0, forced=True)
    story.wakes(5.0)


def test_a_client_that_was_registered_forgives_a_registrar_that_has_just_started(story: Story) -> None:
    story.registered()
    request, troubles = story.wakes(70.0), []
    for _ in range(3):
        story.hears(request, 403, now=70.0)
        troubles.append(story.client.trouble)
        story.client.retry(70.0, forced=True)
        story.client.handle_timer(70.0)
        request = story.sent()
    assert troubles == [Trouble.UNAVAILABLE, Trouble.UNAVAILABLE, Trouble.REFUSED]


def test_an_unreachable_registrar_is_tried_ever_more_rarely_but_within_20_s(story: Story) -> None:
    waits, now = [], 0.0
    story.starts()
    for _ in range(6):
        story.client.request_failed("timeout", now)
        assert story.client.deadline is not None
        waits.append(story.client.deadline - now)
        now = story.client.deadline
        story.wakes(now)
    assert waits == [1.5, 3.0, 6.0, 12.0, 15.0, 15.0]
    assert (story.client.last_error, story.client.trouble) == ("timeout", Trouble.UNREACHABLE)


def test_the_back_off_is_jittered_between_half_and_all_of_it() -> None:
    settings = RegistrationSettings()
    assert [retry_wait(settings, False, 9, drawn) for drawn in (0.0, 0.999)] == [
        10.0,
        pytest.approx(20, abs=0.1),
    ]
    assert [retry_wait(settings, True, 0, drawn) for drawn in (0.0, 0.999)] == [
        120.0,
        pytest.approx(180, abs=0.1),
    ]
    assert retry_wait(settings, False, 100000, 0.5) == 15.0


def test_a_sign_of_life_ends_the_back_off_but_not_a_retry_after(story: Story) -> None:
    story.hears(story.starts(), 503, ("Retry-After", "40 (soon);duration=9"))
    assert story.client.trouble is Trouble.UNAVAILABLE
    story.client.retry(1.0)
    story.wakes(42.0)
    story.client.request_failed("transport", 42.0)
    story.client.retry(42.5)
    story.wakes(42.5)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        ("5;duration=60", 5.0),
        ("7 (x)", 7.0),
        ("99999", 3600.0),
        ("soon", None),
        ("-1", None),
        (None, None),
    ],
)
def test_retry_after_is_read(value: str | None, seconds: float | None) -> None:
    assert retry_after(value) == seconds


@pytest.mark.parametrize(
    ("status", "trouble"),
    [
        (302, Trouble.REFUSED), (400, Trouble.REFUSED), (404, Trouble.REFUSED), (603, Trouble.REFUSED),
        (408, Trouble.UNREACHABLE), (430, Trouble.UNREACHABLE),
        (480, Trouble.UNAVAILABLE), (500, Trouble.UNAVAILABLE), (503, Trouble.UNAVAILABLE),
    ],
)  # fmt: skip
def test_each_refusal_has_its_patience(story: Story, status: int, trouble: Trouble) -> None:
    story.hears(story.starts(), status)
    assert story.client.trouble is trouble


def test_a_403_with_retry_after_is_still_a_refusal(story: Story) -> None:
    story.hears(story.starts(), 403, ("Retry-After", "1"))
    assert story.client.trouble is Trouble.REFUSED


def test_an_interval_too_brief_is_lengthened_as_asked(story: Story) -> None:
    story = Story(make_client(settings=RegistrationSettings(expires=60)))
    story.hears(story.starts(), 423, ("Min-Expires", "1800"))
    again = story.sent()
    assert (again.expires, again.cseq.number) == (1800, 2)
    story.hears(again, 423, ("Min-Expires", "1800"))
    assert story.client.trouble is Trouble.REFUSED


@pytest.mark.parametrize("least", ["100000", "x", "10", None])
def test_an_unbearable_min_expires_is_a_refusal(story: Story, least: str | None) -> None:
    story.hears(story.starts(), 423, *([] if least is None else [("Min-Expires", least)]))
    assert story.silent()
    assert story.client.state is RegistrationState.FAILED


def test_what_is_not_our_answer_changes_nothing(story: Story) -> None:
    request = story.starts()
    story.hears(request, 100)
    story.client.receive_response(Response(200, "OK", [("Call-ID", "x"), ("CSeq", "1 REGISTER")]), 0.0)
    story.client.receive_response(Response(200, "OK", [("Call-ID", "100@here"), ("CSeq", "9 REGISTER")]), 0.0)
    assert (story.client.last_error, story.client.confirmed_at) == (None, None)
    story.hears(request, 200)
    story.hears(request, 500)
    story.client.request_failed("timeout", 0.0)
    assert story.client.state is RegistrationState.REGISTERED


def test_a_lost_flow_is_registered_anew_at_once(story: Story) -> None:
    story.registered()
    story.client.refresh(20.0)
    story.wakes(20.0)


def test_stopping_takes_the_binding_back(story: Story) -> None:
    story.registered()
    story.client.stop(10.0)
    request = story.sent()
    assert (request.expires, request.headers.get("Contact")) == (0, CONTACT)
    assert story.client.state is RegistrationState.UNREGISTERING
    story.hears(request, 200, now=11.0)
    assert (story.client.state, story.client.deadline) == (RegistrationState.UNREGISTERED, None)


def test_a_farewell_is_challenged_and_answered_too() -> None:
    story = Story(make_client(credentials=Credentials("example.net", "100", "secret")))
    story.registered()
    story.client.stop(1.0)
    story.hears(story.sent(), 401, ("WWW-Authenticate", str(Challenge("example.net", "n"))), now=1.0)
    assert story.sent().expires == 0
    story.client.request_failed("timeout", 2.0)
    assert story.client.state is RegistrationState.UNREGISTERED


def test_stopping_before_the_answer_waits_for_it(story: Story) -> None:
    """RFC 3261 section 10.2: no new REGISTER before the last one is answered."""
    request = story.starts()
    story.client.stop(1.0)
    assert story.silent()
    story.hears(request, 200, now=2.0)
    assert story.sent().expires == 0


@pytest.mark.parametrize("status", [401, 500])
def test_stopping_what_was_never_registered_sends_nothing(story: Story, status: int) -> None:
    request = story.starts()
    story.client.stop(1.0)
    story.hears(request, status, now=2.0)
    assert story.silent()
    assert story.client.state is RegistrationState.UNREGISTERED
    story.client.stop(3.0)
    assert story.silent()


def test_a_client_started_again_while_it_unregisters_registers_after(story: Story) -> None:
    story.registered()
    story.client.stop(1.0)
    farewell = story.sent()
    story.client.start(1.5)
    assert story.silent()
    story.hears(farewell, 200, now=2.0)
    assert story.wakes(2.0).expires == 3600


def test_the_registrar_is_asked_what_it_knows_without_changing_it(story: Story) -> None:
    story.registered()
    story.client.verify(5.0)
    request = story.sent()
    assert ("Contact" in request.headers, request.expires) == (False, None)
    story.hears(request, 200, ("Contact", f"{CONTACT};expires=95"), now=5.0)
    story._drain()
    assert story.verified == [True]
    story.wakes(70.0)


def test_a_registrar_that_forgot_us_is_told_again(story: Story) -> None:
    story.registered()
    story.client.verify(5.0)
    story.hears(story.sent(), 200, now=5.0)
    story.wakes(5.0)
    assert story.verified == [False]


@pytest.mark.parametrize(
    ("status", "state"), [(403, RegistrationState.REGISTERED), (503, RegistrationState.FAILED)]
)
def test_a_registrar_that_will_not_tell_is_left_alone(
    story: Story, status: int, state: RegistrationState
) -> None:
    story.registered()
    story.client.verify(5.0)
    story.hears(story.sent(), status, now=5.0)
    assert story.client.state is state
    assert not any(isinstance(output, Verified) for output in story.client.take_outputs())


def test_a_question_without_answer_leaves_the_judgement_to_others(story: Story) -> None:
    story.registered()
    story.client.verify(5.0)
    assert story.client.asking
    story.sent()
    story.client.request_failed("timeout", 9.0)
    assert story.client.state is RegistrationState.REGISTERED
    assert not story.client.waiting


def test_a_question_answered_is_a_word_from_the_registrar(story: Story) -> None:
    story.registered()
    story.client.verify(5.0)
    request = story.sent()
    story.hears(request, 200, ("Contact", f"{CONTACT};expires=100"), now=5.5)
    assert story.client.confirmed_at == 5.5


def test_a_client_told_of_a_dead_registrar_fails_and_tries_again(story: Story) -> None:
    story.registered()
    story.client.lose("timeout", 20.0)
    assert (story.client.state, story.client.since) == (RegistrationState.FAILED, 20.0)
    assert (story.client.trouble, story.client.last_error) == (Trouble.UNREACHABLE, "timeout")
    assert story.client.deadline is not None
    assert 21.0 <= story.client.deadline <= 22.0


def test_a_client_told_so_while_it_registers_goes_on_waiting(story: Story) -> None:
    request = story.starts()
    story.client.lose("timeout", 20.0)
    assert story.client.state is RegistrationState.FAILED
    assert story.silent()
    story.hears(request, 200, ("Contact", f"{CONTACT};expires=100"), now=21.0)
    assert (story.client.state, story.client.trouble) == (RegistrationState.REGISTERED, None)


def test_a_client_that_left_or_was_refused_has_nothing_to_lose(story: Story) -> None:
    story.client.lose("timeout", 0.0)
    assert story.client.state is RegistrationState.UNREGISTERED
    story.hears(story.starts(), 403)
    story.client.lose("timeout", 20.0)
    assert story.client.trouble is Trouble.REFUSED
