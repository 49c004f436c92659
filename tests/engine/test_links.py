"""SIP links: their automates' registrations, their addresses, their probes (on a virtual clock)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from twisted.internet.defer import Deferred, ensureDeferred, fail, succeed
from twisted.internet.task import Clock

from engine.links import PROBE_SECONDS, REFRESH_SECONDS, RESOLVE_SECONDS, Links
from engine.numbering import Numbering
from engine.status import AutomateStatus, LinkStatus
from engine.store import AutomateRange, Link
from sip.client_requests import RequestFailed
from sip.flow import Address, Flow
from sip.message import Request, Response, response_to
from sip.registration_times import RegistrationSettings
from sip.resolver import ResolutionError
from sip.uri import NameAddr, Uri

PBX = Link(id=1, name="pbx", host="192.0.2.90", port=5060, password="links-password")
NAMED = replace(PBX, host="pbx.example.com", port=None)
TRUNK = Link(id=2, name="trunk", host="192.0.2.91", port=5070, register=False, dialled_prefixes="0 +")


class PaperEndpoint:
    """Keeps the requests it is to send, and how each is answered."""

    def __init__(self) -> None:
        self.sent: list[tuple[Request, Deferred[Response]]] = []
        self.forgotten = 0

    def request(self, request: Request, **parts: Any) -> Deferred[Response]:
        answer: Deferred[Response] = Deferred(lambda _: None)
        self.sent.append((request, answer))
        return answer

    def new_request(self, method: str, uri: Uri, *, from_: NameAddr, to: NameAddr) -> Request:
        fields = [("From", str(from_)), ("To", str(to)), ("Call-ID", "probe"), ("CSeq", f"1 {method}")]
        return Request(method, str(uri), fields)

    def local_contact(self, towards: Address, user: str) -> NameAddr:
        return NameAddr(None, Uri("sip", user, None, "192.0.2.1", 5060))

    def local_host_for(self, remote: str) -> str:
        return "192.0.2.1"

    def forget_peer_classes(self) -> None:
        self.forgotten += 1


class PaperResolver:
    """Knows one name."""

    def __init__(self) -> None:
        self.addresses: list[Address] = [Address("udp", "192.0.2.90", 5060)]
        self.error: Exception | None = None
        self.asked = 0

    def resolve(self, uri: Uri, now: float) -> Deferred[list[Address]]:
        self.asked += 1
        if self.error is not None:
            return fail(self.error)
        if uri.host[0].isdigit() or ":" in uri.host:
            return succeed([Address(uri.param("transport") or "udp", uri.host, uri.port or 5060)])
        return succeed(list(self.addresses))


class Desk:
    """Links with everything around them."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.endpoint = PaperEndpoint()
        self.resolver = PaperResolver()
        self.bound: dict[str, list[NameAddr]] = {}  # what the registrar knows, when asked
        self.links = Links(
            self.endpoint,  # type: ignore[arg-type]
            self.resolver,  # type: ignore[arg-type]
            self.clock,
            RegistrationSettings(),
        )
        self.numbering = Numbering()
        self.links.start()

    def apply(self, *links: Link, ranges: tuple[AutomateRange, ...] = ()) -> None:
        self.numbering = Numbering(ranges=ranges, links=links)
        self.links.apply(self.numbering)
        self.pass_time(0.2)

    def pass_time(self, seconds: float) -> None:
        for _ in range(round(seconds / 0.05)):
            self.clock.advance(0.05)

    def take(self) -> list[tuple[Request, Deferred[Response]]]:
        sent, self.endpoint.sent = self.endpoint.sent, []
        return sent

    def answer(self, status: int = 200, extra: tuple[tuple[str, str], ...] = ()) -> list[str]:
        """Answer all that was sent, and what that leads to; what it was, in words."""
        said = []
        while sent := self.take():
            for request, answer in sent:
                said.append(described(request))
                if request.contacts:
                    self.bound[str(request.to.uri)] = request.contacts
                bound = self.bound.get(str(request.to.uri), [])
                headers = [*(("Contact", f"{contact};expires=3600") for contact in bound), *extra]
                answer.callback(response_to(request, status, to_tag="pbx", headers=headers))
            self.pass_time(0.2)
        return said

    def silence(self) -> int:
        """Let nobody answer."""
        sent = self.take()
        for _, answer in sent:
            answer.errback(RequestFailed("timeout"))
        return len(sent)

    def link(self, name: str = "pbx") -> LinkStatus:
        return next(each for each in self.links.link_states() if each.name == name)

    def automates(self) -> list[AutomateStatus]:
        return self.links.automate_states(self.numbering, {"100": 2})


def described(request: Request) -> str:
    """ "REGISTER 100", "UNREGISTER 100", "QUESTION 100" (which comes when it likes), "OPTIONS"."""
    if request.method != "REGISTER":
        return request.method
    if "Contact" not in request.headers:
        return f"QUESTION {request.to.uri.user}"
    gone = "expires=0" in (request.headers.get("Contact") or "") or request.expires == 0
    return f"{'UNREGISTER' if gone else 'REGISTER'} {request.to.uri.user}"


def automates(first: str = "100", count: int = 3, **changes: Any) -> AutomateRange:
    fields: dict[str, Any] = {"id": 1, "link_id": 1, "application": "echo", **changes}
    return AutomateRange(first_number=first, count=count, **fields)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def registered_desk(desk: Desk) -> Desk:
    """Three automates registered on the PBX."""
    desk.apply(PBX, ranges=(automates(),))
    desk.answer()
    assert desk.link().registered == 3
    return desk


class TestRegistrations:
    def test_each_number_registers_under_its_own(self, desk: Desk) -> None:
        """A Contact each; registered, the link is up and the state says since when."""
        desk.apply(PBX, ranges=(automates(),))
        assert desk.answer() == ["REGISTER 100", "REGISTER 101", "REGISTER 102"]
        state = desk.link()
        assert (state.state, state.automates, state.registered) == ("up", 3, 3)
        first = desk.automates()[0]
        assert (first.number, first.link, first.state, first.calls) == ("100", "pbx", "registered", 2)
        assert first.since > 1_000_000_000

    def test_calls_leave_by_the_way_the_registrar_gave(self, desk: Desk) -> None:
        """Service-Route (RFC 3608) becomes the Route of what our lines dial over the link."""
        desk.apply(replace(PBX, dialled_prefixes="0"), ranges=(automates(count=1),))
        before = desk.links.destination("pbx", "0123")
        desk.answer(extra=(("Service-Route", "<sip:out.example.com;lr>, <sip:core.example.com;lr>"),))
        after = desk.links.destination("pbx", "0123")
        assert before is not None
        assert after is not None
        assert before.route == ()
        assert after.route == ("<sip:out.example.com;lr>", "<sip:core.example.com;lr>")

    def test_a_refusal_is_shown(self, desk: Desk) -> None:
        """403: the automate has failed and says why; with none registered the link is down."""
        desk.apply(PBX, ranges=(automates(count=1),))
        desk.answer(403)
        assert desk.automates()[0].state == "failed"
        assert "403" in desk.automates()[0].last_error
        assert desk.link().state == "down"
        assert "403" in desk.link().last_error

    def test_a_dead_link_is_logged_once(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        """Not once for each of its automates."""
        logged: list[tuple[str, str]] = []
        monkeypatch.setattr(
            "engine.links.log.warn", lambda text, **named: logged.append((text, named["link"]))
        )
        registered_desk(desk)
        while desk.automates()[0].state == "registered":
            desk.pass_time(1)
            desk.silence()
        assert {each.state for each in desk.automates()} == {"failed"}
        assert logged == [("link {link} is down: {error}", "pbx")]

    def test_one_that_fails_does_not_take_the_link_down(self, desk: Desk) -> None:
        """As long as others are registered."""
        desk.apply(PBX, ranges=(automates(count=2),))
        (first, answer_first), (second, answer_second) = desk.take()
        answer_first.callback(
            response_to(first, 200, headers=[("Contact", f"{first.contacts[0]};expires=60")])
        )
        answer_second.callback(response_to(second, 403))
        assert (desk.link().state, desk.link().registered) == ("up", 1)

    def test_a_reload_leaves_the_unchanged_alone(self, desk: Desk) -> None:
        """Nothing is sent, also when only rate, prefixes, NAT or type of the link have changed."""
        registered_desk(desk)
        desk.apply(PBX, ranges=(automates(),))
        desk.apply(
            replace(PBX, nat=True, rate_limit=7, dialled_prefixes="9", pbx_type="other"),
            ranges=(automates(),),
        )
        assert [described(request) for request, _ in desk.take()] == []
        assert desk.links.behind_nat == {"pbx"}

    def test_numbers_that_are_gone_are_unregistered(self, desk: Desk) -> None:
        """And new ones registered."""
        registered_desk(desk)
        desk.apply(PBX, ranges=(automates("101", 3),))
        assert sorted(desk.answer()) == ["REGISTER 103", "UNREGISTER 100"]
        assert desk.link().registered == 3

    def test_another_password_registers_anew(self, desk: Desk) -> None:
        """Of a range, or of the link."""
        registered_desk(desk)
        desk.apply(PBX, ranges=(automates(password="another"),))
        said = desk.answer()
        assert said.count("REGISTER 100") == said.count("UNREGISTER 100") == 1
        desk.apply(replace(PBX, password="a-third"), ranges=(automates(password="another"),))
        assert desk.answer().count("REGISTER 102") == 1
        assert desk.link().registered == 3

    def test_a_link_that_is_gone_is_left(self, desk: Desk) -> None:
        """Its automates are unregistered, its address is a stranger's."""
        registered_desk(desk)
        assert desk.links.link_at("192.0.2.90", "udp") == "pbx"
        desk.apply()
        assert sorted(desk.answer()) == ["UNREGISTER 100", "UNREGISTER 101", "UNREGISTER 102"]
        assert desk.links.link_at("192.0.2.90", "udp") is None
        assert desk.links.link_states() == []

    def test_stopping_unregisters_everybody(self, desk: Desk) -> None:
        """And leaves no timer."""
        registered_desk(desk)
        done = ensureDeferred(desk.links.stop())
        assert len(desk.answer()) == 3
        assert done.called
        assert desk.clock.getDelayedCalls() == []

    def test_the_range_of_a_link_that_does_not_register_answers_only(self, desk: Desk) -> None:
        """As does one of our own."""
        desk.apply(TRUNK, ranges=(automates(link_id=2, count=1), automates("500", 1, id=2, link_id=None)))
        states = desk.automates()
        assert [(each.state, each.link) for each in states] == [("answering", "trunk"), ("answering", "")]

    def test_an_automate_whose_pbx_is_not_found_is_not_registered(self, desk: Desk) -> None:
        """It says why, and registers when the name is found."""
        desk.resolver.error = ResolutionError("no_such_host")
        desk.apply(NAMED, ranges=(automates(count=1),))
        assert desk.automates()[0].state == "unregistered"
        assert "no_such_host" in desk.automates()[0].last_error
        assert desk.link().state == "down"
        desk.resolver.error = None
        desk.pass_time(RESOLVE_SECONDS)
        desk.answer()
        assert desk.automates()[0].state == "registered"
        assert desk.link().state == "up"


class TestAddresses:
    def test_trust_follows_the_name(self, desk: Desk) -> None:
        """A PBX that moves is trusted where it is now, and there only; the transport counts as well (C1)."""
        desk.apply(replace(NAMED, transport="tls"))
        assert desk.links.link_at("192.0.2.90", "tls") == "pbx"
        assert desk.links.link_at("192.0.2.90", "udp") is None
        desk.resolver.addresses = [Address("tls", "192.0.2.77", 5061), Address("tls", "2001:DB8::0:7", 5061)]
        before = desk.endpoint.forgotten
        desk.pass_time(RESOLVE_SECONDS)
        assert desk.links.link_at("192.0.2.90", "tls") is None
        assert desk.links.link_at("192.0.2.77", "tls") == "pbx"
        assert desk.links.link_at("2001:db8::7", "tls") == "pbx"
        assert desk.endpoint.forgotten > before

    def test_a_name_server_that_fails_changes_nothing(self, desk: Desk) -> None:
        """The link goes on with what it knows, and says so."""
        desk.apply(NAMED, ranges=(automates(),))
        desk.answer()
        desk.resolver.error = ResolutionError("dns_timeout")
        desk.pass_time(RESOLVE_SECONDS)
        state = desk.link()
        assert state.state == "up"
        assert "dns_timeout" in state.last_error
        assert desk.links.link_at("192.0.2.90", "udp") == "pbx"

    def test_an_answer_that_comes_after_the_link_has_gone(self, desk: Desk) -> None:
        """It makes nobody trusted."""
        waiting: Deferred[list[Address]] = Deferred()
        desk.resolver.resolve = lambda uri, now: waiting  # type: ignore[method-assign]
        desk.apply(NAMED)
        desk.apply()
        waiting.callback([Address("udp", "192.0.2.90", 5060)])
        assert desk.links.link_at("192.0.2.90", "udp") is None

    def test_two_links_to_one_host_over_two_transports(self, desk: Desk) -> None:
        """Each is known by its own."""
        desk.apply(PBX, replace(TRUNK, host="192.0.2.90", transport="tcp"))
        assert desk.links.link_at("192.0.2.90", "udp") == "pbx"
        assert desk.links.link_at("192.0.2.90", "tcp") == "trunk"

    def test_a_number_over_a_link(self, desk: Desk) -> None:
        """The request goes to the PBX, with its credentials where it has a user; # is escaped."""
        desk.apply(replace(TRUNK, username="us", password="secret", transport="tcp"), PBX)
        found = desk.links.destination("trunk", "0#31")
        assert found is not None
        assert str(found.target) == "sip:0%2331@192.0.2.91:5070;transport=tcp"
        assert (found.host, str(found.next_hop)) == ("192.0.2.91", "sip:192.0.2.91:5070;transport=tcp")
        assert (found.link, found.line) == ("trunk", None)
        assert found.credentials is not None
        assert found.credentials.realm == "192.0.2.91"
        plain = desk.links.destination("pbx", "1")
        assert plain is not None
        assert plain.credentials is None
        assert desk.links.destination("nobody", "1") is None

    def test_no_secret_is_shown(self, desk: Desk) -> None:
        """Not in anything a log could take."""
        registered_desk(desk)
        link = desk.links._links["pbx"]
        assert "links-password" not in repr(link)
        assert "links-password" not in repr(list(link.automates.values()))
        assert "links-password" not in repr(desk.links.link_states())


class TestProbes:
    def test_a_link_without_automates_is_asked(self, desk: Desk) -> None:
        """At once and every half minute; silence is down, any answer is up, and it heals alone."""
        desk.apply(TRUNK)
        assert desk.answer(404) == ["OPTIONS"]
        assert desk.link("trunk").state == "up"
        desk.pass_time(PROBE_SECONDS)
        assert desk.silence() == 1
        state = desk.link("trunk")
        assert (state.state, state.last_error) == ("down", "timeout")
        desk.pass_time(PROBE_SECONDS)
        desk.answer()
        assert desk.link("trunk").state == "up"
        assert desk.link("trunk").last_error == ""

    def test_also_one_that_would_register_but_has_nobody_to(self, desk: Desk) -> None:
        """Its state is known before its first automate."""
        desk.apply(PBX)
        assert desk.answer() == ["OPTIONS"]
        assert desk.link().state == "up"

    def test_registrations_notice_by_themselves(self, desk: Desk) -> None:
        """No OPTIONS where REGISTERs go."""
        registered_desk(desk)
        desk.pass_time(PROBE_SECONDS)
        assert "OPTIONS" not in [described(request) for request, _ in desk.take()]

    def test_a_fault_in_a_look_up_is_ours_and_logged(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The link stays as it is; the next look-up may do better."""
        logged: list[str] = []
        monkeypatch.setattr("engine.links.log.failure", lambda text, *_, **__: logged.append(text))
        desk.resolver.error = RuntimeError("a bug")
        desk.apply(TRUNK)
        assert logged == ["looking up a link failed"]
        assert desk.link("trunk").state == "unknown"


class TestConnections:
    FLOW = Flow(Address("tcp", "192.0.2.1", 40000), Address("tcp", "192.0.2.90", 5060), 3)

    def test_a_lost_connection_registers_anew(self, desk: Desk) -> None:
        """The PBX knew us by it (RFC 5626); but not more often than every half minute."""
        desk.apply(replace(PBX, transport="tcp"), ranges=(automates(),))
        desk.answer()
        desk.links.connection_lost(self.FLOW)
        desk.pass_time(1)
        assert desk.answer().count("REGISTER 100") == 1
        desk.links.connection_lost(self.FLOW)
        desk.pass_time(1)
        assert "REGISTER 101" not in desk.answer()
        desk.pass_time(REFRESH_SECONDS)
        desk.answer()
        desk.links.connection_lost(self.FLOW)
        desk.pass_time(1)
        assert "REGISTER 101" in desk.answer()

    def test_one_the_pbx_opened_does_not(self, desk: Desk) -> None:
        """It comes from any port, and carries no registration of ours."""
        desk.apply(replace(PBX, transport="tcp"), ranges=(automates(),))
        desk.answer()
        desk.links.connection_lost(self.FLOW._replace(remote=Address("tcp", "192.0.2.90", 51234)))
        desk.pass_time(0.5)
        assert "REGISTER 100" not in desk.answer()
