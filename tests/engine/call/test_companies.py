"""Two companies on one engine, with the same numbers: neither reaches, sees or takes anything of the other."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from engine.domain.scope import scoped
from engine.store import AutomateRange, Link
from sip.credentials import Credentials
from sip.flow import Address
from sip.message import Request
from sip.session.outputs import Answered
from sip.transfer import Replaces
from sip.uri import Uri
from tests.engine.call.town import ECHO, ENGINE, PASSWORD, REALM, Phone, Town, statuses
from tests.sip.wire import SDP, as_request, as_response, written

A, B = 2, 3
DOMAINS = {"a.example": A, "b.example": B}
STRANGER = Address("udp", "203.0.113.66", 5060)
PBX_A, PBX_B = "203.0.113.90", "203.0.113.91"
_branches = count(1)


def pbx(company: int, host: str) -> Link:
    """Each company's link has the same name, and the same prefix leads to it."""
    return Link(
        id=company, name="pbx", host=host, port=5060, register=False, dialled_prefixes="9", company_id=company
    )


@pytest.fixture
def town() -> Town:
    """Both have 200 and 201, a link pbx, and an echo 5100; B alone has 300. 100 is the default company's."""
    lines = ("100", *(scoped(number, company) for company in (A, B) for number in ("200", "201")), "300@3")
    ranges = tuple(
        AutomateRange(id=10 + company, first_number="5100", application="echo", company_id=company)
        for company in (A, B)
    )
    return Town(lines, (pbx(A, PBX_A), pbx(B, PBX_B)), ranges, sip_domains=DOMAINS)


def phone(town: Town, line: str, host: str) -> Phone:
    """The registered phone of a line, by its scoped number."""
    return town.phone(line, host, registered=True)


def dial(caller: Phone, number: str, domain: str) -> None:
    """As a phone of that domain does, with the password."""
    caller.dial(number, password=PASSWORD, display_host=domain, domain=domain)


def answered(one: Phone) -> bool:
    return any(isinstance(each, Answered) for each in one.events)


class TestCalls:
    @pytest.mark.parametrize(("domain", "company"), [("a.example", A), ("b.example", B)])
    def test_the_same_number_is_each_companys_own(self, town: Town, domain: str, company: int) -> None:
        """200 calls 201, and the 201 of its own company rings."""
        caller = phone(town, scoped("200", company), "198.51.100.10")
        own = phone(town, scoped("201", company), "198.51.100.11")
        foreign = phone(town, scoped("201", A + B - company), "198.51.100.12")
        dial(caller, "201", domain)
        assert answered(caller)
        assert len(own.invites) == 1
        assert own.invites[0].from_.uri.user == "200"
        assert foreign.invites == []

    @pytest.mark.parametrize("number", ["300", "100", "5000", "nobody"])
    def test_anothers_number_is_none(self, town: Town, number: str) -> None:
        """404, as for what nobody has, whichever domain it writes."""
        caller = phone(town, "200@2", "198.51.100.10")
        phone(town, "300@3", "198.51.100.11")
        for domain in ("a.example", "b.example", ENGINE.host):
            caller.events.clear()
            caller.dial(number, password=PASSWORD, display_host="a.example", domain=domain)
            assert caller.ended is not None
            assert caller.ended.status == 404

    def test_its_own_automate_answers(self, town: Town) -> None:
        """Both have 5100; each is counted apart, and 5000 is the default company's."""
        caller = phone(town, "200@3", "198.51.100.10")
        dial(caller, "5100", "b.example")
        assert answered(caller)
        assert dict(town.calls.by_number) == {"5100@3": 1}

    def test_whoever_is_not_named_is_of_the_default_company(self, town: Town) -> None:
        """As it was with one company: a phone that knows only our address."""
        caller = phone(town, "100", "198.51.100.10")
        caller.dial(ECHO, password=PASSWORD)
        assert answered(caller)
        caller.events.clear()
        caller.dial("200", password=PASSWORD)
        assert caller.ended is not None
        assert caller.ended.status == 404

    def test_a_link_leads_into_its_company(self, town: Town) -> None:
        """The 200 of the link's company rings, whatever domain the PBX writes; and out the same way."""
        town.pass_time(0.1)
        trunk_a, trunk_b = town.phone("pbx", PBX_A), town.phone("pbx", PBX_B)
        of_a, of_b = phone(town, "200@2", "198.51.100.10"), phone(town, "200@3", "198.51.100.11")
        trunk_b.dial("200", caller="0612", domain="a.example")
        assert (len(of_a.invites), len(of_b.invites)) == (0, 1)
        dial(of_a, "90123", "a.example")
        assert [len(trunk.invites) for trunk in (trunk_a, trunk_b)] == [1, 0]

    def test_a_link_leads_to_nobody_elses_numbers(self, town: Town) -> None:
        """300 is B's alone."""
        town.pass_time(0.1)
        trunk = town.phone("pbx", PBX_A)
        phone(town, "300@3", "198.51.100.11")
        trunk.dial("300", caller="0612", domain="b.example")
        assert trunk.ended is not None
        assert trunk.ended.status == 404

    def test_a_pbx_of_both_companies(self, town: Town) -> None:
        """One address, two links: the contact each has registered says whose the call is, or the domain."""
        town.numbering(
            ("100", "200@2", "200@3"),
            (pbx(A, PBX_A), pbx(B, PBX_A)),
            tuple(
                AutomateRange(id=10 + company, first_number="5100", application="echo", company_id=company)
                for company in (A, B)
            ),
        )
        town.pass_time(0.1)
        trunk = town.phone("pbx", PBX_A)
        of_a, of_b = phone(town, "200@2", "198.51.100.10"), phone(town, "200@3", "198.51.100.11")
        trunk.dial("200", caller="0612", domain="b.example")
        assert (len(of_a.invites), len(of_b.invites)) == (0, 1)
        trunk.dial("200", caller="0612", domain="a.example")
        assert (len(of_a.invites), len(of_b.invites)) == (1, 1)
        trunk.dial("200", caller="0612")
        assert (len(of_a.invites), len(of_b.invites)) == (2, 1)

    def test_an_accepted_network_calls_the_domain_it_names(self, town: Town) -> None:
        """Without a password it says itself whom it calls; the default company when it names nobody."""
        caller = town.phone("0612", "192.0.2.50")
        of_b = phone(town, "300@3", "198.51.100.11")
        caller.dial("300", domain="b.example")
        assert len(of_b.invites) == 1
        caller.call.hangup()
        town.pass_time(0.1)
        caller.dial("300")
        assert caller.ended is not None
        assert len(of_b.invites) == 1

    @pytest.mark.parametrize("display", ["192.0.2.50", "b.example", "a.example"])
    def test_no_line_is_named_without_its_password(self, town: Town, display: str) -> None:
        """Not even from an accepted network: neither where it says it is, nor where it calls (C1)."""
        liar = town.phone("200", "192.0.2.50")
        of_b = phone(town, "300@3", "198.51.100.11")
        liar.dial("300", caller="200", display_host=display, domain="b.example")
        assert liar.ended is not None
        assert liar.ended.status == 401
        assert of_b.invites == []


class TestMoves:
    def talk(self, town: Town) -> tuple[Phone, Phone]:
        """200 and 201 of A, in a call."""
        alice, bob = phone(town, "200@2", "198.51.100.10"), phone(town, "201@2", "198.51.100.11")
        dial(alice, "201", "a.example")
        assert answered(alice)
        return alice, bob

    def test_nobody_takes_the_place_of_anothers_call(self, town: Town) -> None:
        """B's phone knows the dialog to the last tag, and hears what it would of a dialog that is not there."""
        alice, _ = self.talk(town)
        spy = phone(town, "300@3", "198.51.100.22")
        right = alice.call.session.replaces()
        wrong = Replaces("nothing", "of", "this")
        ends = []
        for replaces in (right, wrong):
            spy.events.clear()
            spy.dial(
                "201",
                password=PASSWORD,
                display_host="b.example",
                domain="b.example",
                headers=(("Replaces", str(replaces)),),
            )
            assert spy.ended is not None
            ends.append((spy.ended.status, spy.ended.cause))
        assert ends[0] == ends[1]
        assert ends[0][0] == 481
        assert alice.ended is None

    def test_a_line_of_the_company_may(self, town: Town) -> None:
        """The same header from A's 201: an attended pick-up."""
        alice, bob = self.talk(town)
        other = town.phone("201@2", "198.51.100.33")
        other.dial(
            "200",
            password=PASSWORD,
            display_host="a.example",
            domain="a.example",
            headers=(("Replaces", str(alice.call.session.replaces())),),
        )
        assert answered(other)
        assert alice.ended is not None
        assert bob.ended is None

    @pytest.mark.parametrize("number", ["300", "100", "5000"])
    def test_nobody_is_transferred_into_another_company(self, town: Town, number: str) -> None:
        """A REFER to B's number finds nobody."""
        alice, _ = self.talk(town)
        target = phone(town, "300@3", "198.51.100.22")
        alice.call.refer(Uri("sip", number, None, "b.example"))
        town.pass_time(0.2)
        assert target.invites == []
        assert town.count("refer_refused") == 1
        assert alice.ended is None

    def test_a_transfer_stays_within_the_company(self, town: Town) -> None:
        """Both have 5100: A's caller is carried over to A's."""
        alice, bob = self.talk(town)
        alice.call.refer(Uri("sip", "5100", None, "b.example"))
        town.pass_time(0.5)
        assert alice.reports[-1] == 200
        assert sorted(town.calls.by_number) == ["201@2", "5100@2"]
        assert bob.ended is None

    def test_a_redirection_stays_within_the_company(self, town: Town) -> None:
        """A's phone points to B's 300: nobody is there."""
        alice, bob = phone(town, "200@2", "198.51.100.10"), phone(town, "201@2", "198.51.100.11")
        target = phone(town, "300@3", "198.51.100.22")
        bob.status, bob.headers = 302, (("Contact", "<sip:300@b.example>"),)
        dial(alice, "201", "a.example")
        assert target.invites == []
        assert alice.ended is not None


def register(caller: str, domain: str, *, to: str = "", via: str = "", source: Address = STRANGER) -> bytes:
    """A REGISTER as a phone at ``source`` writes it."""
    message = written(
        "REGISTER",
        uri=f"sip:{via or domain}",
        via=f"SIP/2.0/UDP {source.host}:{source.port};branch=z9hG4bKc{next(_branches)}",
        call_id=f"company{next(_branches)}",
        headers=(f"Contact: <sip:{caller}@{source.host}:{source.port}>",),
    )
    message = message.replace(b"<sip:peer@192.0.2.9>;tag", f"<sip:{caller}@{domain}>;tag".encode())
    return message.replace(b"To: <sip:7000@192.0.2.1>", f"To: <sip:{to or f'{caller}@{domain}'}>".encode())


def with_password(town: Town, message: bytes, user: str, password: str = PASSWORD) -> list[bytes]:
    """Send, answer the challenge, send again; the last answers."""
    first = town.send(message, STRANGER)
    request = as_request(message)
    answer = Credentials(REALM, user, password).answer(as_response(first[0]), request, 0.0)
    assert answer is not None
    again = Request(request.method, request.uri, request.headers.copy(), request.body)
    again.headers.set(*answer)
    again.headers.set("CSeq", f"{request.cseq.number + 1} {request.method}")
    again.headers.set("Via", f"SIP/2.0/UDP 203.0.113.66:5060;branch=z9hG4bKd{next(_branches)}")
    return town.send(again.serialise(), STRANGER)


def contacts(town: Town) -> dict[str, int]:
    """How many phones each line has."""
    registrar, now = town.parts.registrations.registrar, town.clock.seconds()
    found: dict[str, Any] = {line: registrar.contacts(line, now) for line in town.parts.routing.plans.lines}
    return {line: len(bound) for line, bound in found.items() if bound}


class TestRegistrations:
    @pytest.mark.parametrize(
        ("domain", "via", "line"),
        [
            ("a.example", "", "200@2"),
            ("b.example", "", "200@3"),
            ("B.EXAMPLE", "", "200@3"),
            ("192.0.2.1", "a.example", "200@2"),
        ],
    )
    def test_each_domain_has_its_own_200(self, town: Town, domain: str, via: str, line: str) -> None:
        """By its address, or by the registrar it asks."""
        assert statuses(with_password(town, register("200", domain, via=via), "200")) == ["200 REGISTER"]
        assert contacts(town) == {line: 1}

    def test_a_domain_nobody_has_is_the_default_companys(self, town: Town) -> None:
        """Where there is a 100, and no 200."""
        assert statuses(with_password(town, register("100", "192.0.2.1"), "100")) == ["200 REGISTER"]
        assert statuses(with_password(town, register("200", "192.0.2.1"), "200")) == ["401 REGISTER"]
        assert contacts(town) == {"100": 1}

    @pytest.mark.parametrize(
        ("caller", "domain", "to", "user"),
        [
            ("200", "a.example", "200@b.example", "200"),
            ("200", "b.example", "200@a.example", "200"),
            ("300", "a.example", "", "300"),
            ("200", "a.example", "", "200@3"),
            ("200", "192.0.2.1", "", "200@3"),
        ],
    )
    def test_nobody_registers_for_another_company(
        self, town: Town, caller: str, domain: str, to: str, user: str
    ) -> None:
        """Neither across the two addresses, nor by a user name that looks like one of ours."""
        said = statuses(with_password(town, register(caller, domain, to=to), user))
        assert said[0] in ("401 REGISTER", "403 REGISTER")
        assert contacts(town) == {}

    def test_an_unknown_user_is_challenged_as_a_known_one_is(self, town: Town) -> None:
        """Nothing in the answers tells which numbers a domain has (C3)."""
        shown = []
        for caller in ("200", "300", "999"):
            answer = as_response(with_password(town, register(caller, "a.example"), caller, "wrong")[0])
            shown.append((answer.status, answer.reason, [name for name, _ in answer.headers]))
        assert shown[0] == shown[1] == shown[2]


def test_an_invite_in_anothers_name(town: Town) -> None:
    """A's 200 authenticates, and calls itself B's 200."""
    message = written(
        "INVITE",
        uri="sip:300@b.example",
        via=f"SIP/2.0/UDP 203.0.113.66:5060;branch=z9hG4bKe{next(_branches)}",
        body=SDP,
    ).replace(b"<sip:peer@192.0.2.9>;tag", b"<sip:200@a.example>;tag")
    as_b = message.replace(b"<sip:200@a.example>;tag", b"<sip:300@a.example>;tag")
    target = phone(town, "300@3", "198.51.100.22")
    assert statuses(with_password(town, as_b, "200"))[0] == "403 INVITE"
    assert "404 INVITE" in statuses(with_password(town, message, "200"))
    assert target.invites == []
