"""Who may have an effect (security reference C1 to C6, D1): every method, by every kind of sender."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from engine.store import Link
from sip.credentials import Credentials
from sip.digest import Authorization
from sip.flow import Address, Flow
from sip.message import Request
from tests.engine.call.town import ECHO, PASSWORD, REALM, Town, response_headers, statuses
from tests.sip.wire import SDP, as_request, as_response, written

ALICE, BOB = "1001", "1002"
STRANGER = Address("udp", "203.0.113.66", 5060)
ACCEPTED = Address("udp", "192.0.2.66", 5060)
LINK = Link(id=1, name="pbx", host="203.0.113.90", port=5060, register=False, dialled_prefixes="9")
EFFECTIVE = ("INVITE", "REGISTER", "MESSAGE", "SUBSCRIBE", "PUBLISH", "REFER", "NOTIFY")
"""Methods outside a dialog that change something; PUBLISH is unknown here, and refused as such."""

_branches = count(1)


@pytest.fixture
def town() -> Town:
    return Town(lines=(ALICE, BOB), links=(LINK,))


def asked(
    method: str,
    source: Address = STRANGER,
    *,
    caller: str = ALICE,
    to: str = ECHO,
    headers: tuple[str, ...] = (),
    cseq: int = 1,
    call_id: str = "",
) -> bytes:
    """A request as somebody at ``source`` writes it."""
    number = next(_branches)
    if method == "REGISTER":
        to = to if to != ECHO else caller
        headers = (*headers, f"Contact: <sip:{caller}@{source.host}:{source.port}>")
    message = written(
        method,
        uri=f"sip:{to}@192.0.2.1",
        via=f"SIP/2.0/UDP {source.host}:{source.port};branch=z9hG4bK{number}",
        call_id=call_id or f"call{number}",
        cseq=cseq,
        headers=headers,
        body=SDP if method == "INVITE" else b"",
    )
    return message.replace(b"<sip:peer@192.0.2.9>;tag", f"<sip:{caller}@192.0.2.1>;tag".encode()).replace(
        b"To: <sip:7000@192.0.2.1>", f"To: <sip:{to}@192.0.2.1>".encode()
    )


def with_password(
    town: Town, message: bytes, source: Address, user: str = ALICE, password: str = PASSWORD
) -> list[bytes]:
    """Send, answer the challenge, send again; the last answers."""
    challenge = as_response(town.send(message, source)[0])
    return town.send(authorised(message, challenge, user, password), source)


def authorised(message: bytes, challenge: Any, user: str = ALICE, password: str = PASSWORD) -> bytes:
    """The same request with the answer to a challenge."""
    request = as_request(message)
    answer = Credentials(REALM, user, password).answer(challenge, request, 0.0)
    assert answer is not None
    again = Request(request.method, request.uri, request.headers.copy(), request.body)
    again.headers.set(*answer)
    again.headers.set("CSeq", f"{request.cseq.number + 1} {request.method}")
    again.headers.set("Via", f"SIP/2.0/UDP {source_of(request)};branch=z9hG4bKa{next(_branches)}")
    return again.serialise()


def source_of(request: Request) -> str:
    return f"{request.via.host}:{request.via.port}"


def state(town: Town) -> tuple[Any, ...]:
    """Everything a request could have changed."""
    return (
        len(town.calls),
        town.calls.total,
        len(town.endpoint.calls),
        len(town.media.legs),
        {
            number: town.parts.registrations.registrar.contacts(number, town.clock.seconds())
            for number in (ALICE, BOB)
        },
    )


class TestStrangers:
    @pytest.mark.parametrize("method", EFFECTIVE)
    @pytest.mark.parametrize("caller", [ALICE, "nobody"])
    def test_no_method_has_an_effect_without_credentials(self, town: Town, method: str, caller: str) -> None:
        """401 once, without state, and nothing has changed (C1)."""
        before = state(town)
        message = asked(method, caller=caller)
        said = town.send(message, STRANGER)
        assert statuses(said) == [f"{405 if method == 'PUBLISH' else 401} {method}"]
        assert state(town) == before
        assert town.endpoint.layer.find_server(as_request(message)) is None

    @pytest.mark.parametrize("method", ["BYE", "INFO", "UPDATE", "PRACK"])
    def test_methods_of_a_dialog_without_one(self, town: Town, method: str) -> None:
        """481, whoever asks."""
        assert statuses(town.send(asked(method), STRANGER)) == [f"481 {method}"]

    def test_options_is_answered_to_anybody(self, town: Town) -> None:
        """It changes nothing."""
        before = state(town)
        assert statuses(town.send(asked("OPTIONS"), STRANGER)) == ["200 OPTIONS"]
        assert state(town) == before

    def test_a_challenge_is_sent_once(self, town: Town) -> None:
        """One INVITE without ACK draws exactly one answer in 32 s, and no larger than it may be (D1)."""
        message = asked("INVITE")
        said = town.send(message, STRANGER)
        town.pass_time(40)
        assert [data for data, to in town.post if to == STRANGER] == said
        assert len(said) == 1
        assert len(said[0]) <= 1.5 * len(message)

    def test_a_phone_with_its_password_is_served_from_anywhere(self, town: Town) -> None:
        """REGISTER and INVITE of a line, in its own name."""
        assert statuses(with_password(town, asked("REGISTER"), STRANGER)) == ["200 REGISTER"]
        assert "200 INVITE" in statuses(with_password(town, asked("INVITE"), STRANGER))


class TestIdentity:
    """The authenticated user is the identity (C2)."""

    @pytest.mark.parametrize("method", ["INVITE", "REGISTER", "MESSAGE", "SUBSCRIBE", "REFER", "NOTIFY"])
    def test_a_user_does_not_speak_for_another(self, town: Town, method: str) -> None:
        """Alice's password with Bob's From: 403."""
        before = state(town)
        said = with_password(town, asked(method, caller=BOB), STRANGER, user=ALICE)
        assert statuses(said) == [f"403 {method}"]
        assert state(town) == before
        assert town.count("foreign_identity") == 1

    @pytest.mark.parametrize("caller", [ALICE, BOB])
    def test_nobody_registers_anothers_number(self, town: Town, caller: str) -> None:
        """To names Bob, the password is Alice's (C6): 403, whatever From says."""
        before = state(town)
        message = asked("REGISTER", caller=caller, to=BOB)
        assert statuses(with_password(town, message, STRANGER, user=ALICE)) == ["403 REGISTER"]
        assert state(town) == before

    def test_a_captured_register_is_of_no_use(self, town: Town) -> None:
        """Replayed as it was, after the phone has unregistered: challenged, and nothing bound (C3, C6)."""
        message = asked("REGISTER")
        challenge = as_response(town.send(message, STRANGER)[0])
        captured = authorised(message, challenge)
        assert statuses(town.send(captured, STRANGER)) == ["200 REGISTER"]
        town.pass_time(40)
        goodbye = asked("REGISTER", headers=("Expires: 0",), call_id="other")
        assert statuses(with_password(town, goodbye, STRANGER)) == ["200 REGISTER"]
        town.pass_time(40)
        assert statuses(town.send(captured, STRANGER)) == ["401 REGISTER"]
        assert town.parts.registrations.registrar.contacts(ALICE, town.clock.seconds()) == []


class TestAcceptedNetworks:
    def test_a_number_of_nobody_needs_no_password(self, town: Town) -> None:
        """That is what accepting a network means."""
        assert "200 INVITE" in statuses(town.send(asked("INVITE", ACCEPTED, caller="200"), ACCEPTED))

    @pytest.mark.parametrize("caller", [ALICE, "10-01", "%31001", "1.0.0.1"])
    def test_a_lines_number_needs_it(self, town: Town, caller: str) -> None:
        """However it is written: what Bob's phone would show is Alice's number."""
        before = state(town)
        said = town.send(asked("INVITE", ACCEPTED, caller=caller), ACCEPTED)
        assert statuses(said) == ["401 INVITE"]
        assert state(town) == before

    def test_registering_needs_it(self, town: Town) -> None:
        """There is no binding without a password, from anywhere."""
        assert statuses(town.send(asked("REGISTER", ACCEPTED), ACCEPTED)) == ["401 REGISTER"]

    def test_it_may_not_dial_out(self, town: Town) -> None:
        """What lies behind a link is for our lines (C7)."""
        said = town.send(asked("INVITE", ACCEPTED, caller="200", to="90123"), ACCEPTED)
        assert statuses(said) == ["403 INVITE"]
        assert town.count("dial_refused") == 1

    def test_networks_can_be_taken_back(self, town: Town) -> None:
        """A reload that no longer accepts a network makes strangers of those in it."""
        assert town.parts.policy.peer_class(flow_from(ACCEPTED)) == "loopback"
        town.parts.policy.use_networks(())
        town.endpoint.forget_peer_classes()
        said = town.send(asked("INVITE", ACCEPTED, caller="200"), ACCEPTED)
        assert statuses(said) == ["401 INVITE"]

    def test_many_sources_do_not_fill_the_memory(self, town: Town) -> None:
        """What is remembered of addresses is bounded."""
        policy = town.parts.policy
        for number in range(10_050):
            policy.peer_class(
                flow_from(Address("udp", f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", 1))
            )
        assert len(policy._accepted) <= 10_001


def flow_from(source: Address) -> Flow:
    return Flow(Address(source.transport, "192.0.2.1", 5060), source)


class TestLinks:
    def test_a_pbx_is_trusted_by_address_and_transport(self, town: Town) -> None:
        """The same host over another transport is a stranger (C1)."""
        pbx = Address("udp", LINK.host, 5060)
        assert town.parts.policy.peer_class(flow_from(pbx)) == "link:pbx"
        assert town.parts.policy.peer_class(flow_from(pbx._replace(transport="tcp"))) is None
        assert town.parts.policy.peer_class(flow_from(pbx._replace(host="203.0.113.91"))) is None

    def test_its_calls_need_no_password_and_do_not_leave_by_a_link(self, town: Town) -> None:
        """To our numbers: yes. Out again: 403, whatever number it shows (C7)."""
        pbx = Address("udp", LINK.host, 5060)
        assert "200 INVITE" in statuses(town.send(asked("INVITE", pbx, caller="0612"), pbx))
        assert statuses(town.send(asked("INVITE", pbx, caller=ALICE, to="90123"), pbx)) == ["403 INVITE"]

    def test_it_does_not_register_our_lines(self, town: Town) -> None:
        """REGISTER is for whoever has the line's password."""
        pbx = Address("udp", LINK.host, 5060)
        assert statuses(town.send(asked("REGISTER", pbx), pbx)) == ["401 REGISTER"]

    def test_a_removed_link_is_a_stranger_at_once(self, town: Town) -> None:
        """And its calls are challenged."""
        pbx = Address("udp", LINK.host, 5060)
        town.send(asked("OPTIONS", pbx), pbx)
        town.numbering(lines=(ALICE, BOB))
        assert statuses(town.send(asked("INVITE", pbx, caller="0612"), pbx)) == ["401 INVITE"]


class TestGuessing:
    def wrong(self, town: Town, user: str = ALICE) -> list[bytes]:
        return with_password(town, asked("REGISTER", caller=user), STRANGER, user=user, password="guess")

    def test_ten_failures_are_followed_by_silence(self, town: Town) -> None:
        """For a minute not even a challenge; and other sources are not concerned (C4)."""
        for _ in range(9):
            assert statuses(self.wrong(town)) == ["401 REGISTER"]
        assert self.wrong(town) == []
        assert town.send(asked("INVITE", caller=BOB), STRANGER) == []
        assert town.count("guessing") >= 1
        other = STRANGER._replace(host="198.51.100.7")
        message = asked("REGISTER", other)
        assert statuses(with_password(town, message, other)) == ["200 REGISTER"]
        town.pass_time(61)
        assert statuses(town.send(asked("INVITE"), STRANGER)) == ["401 INVITE"]

    def test_an_unknown_user_is_answered_as_a_wrong_password(self, town: Town) -> None:
        """The same status, the same headers but for the nonce (C3)."""
        known, unknown = (response_headers(self.wrong(town, user)[0]) for user in (ALICE, "9999999"))
        assert known.status == unknown.status == 401
        assert [name for name, _ in known.headers.items()] == [name for name, _ in unknown.headers.items()]

    def test_an_unknown_user_costs_what_a_wrong_password_does(
        self, town: Town, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The same hashes are computed for both; counted, since a clock would only tell of the machine (C3)."""
        computed: list[str] = []
        expected = Authorization.expected

        def counting(self: Authorization, secret: str, method: str, body: bytes) -> str:
            computed.append(self.username)
            return expected(self, secret, method, body)

        monkeypatch.setattr(Authorization, "expected", counting)
        self.wrong(town, ALICE)
        self.wrong(town, "9999999")
        assert computed.count(ALICE) == computed.count("9999999") > 0

    def test_a_stale_nonce_is_said_to_be_stale(self, town: Town) -> None:
        """After its lifetime the right password is asked for again, with stale=true, and costs no guess (C3)."""
        message = asked("REGISTER")
        challenge = as_response(town.send(message, STRANGER)[0])
        town.pass_time(301)
        said = response_headers(town.send(authorised(message, challenge), STRANGER)[0])
        assert said.status == 401
        assert all("stale=true" in value for value in said.headers.get_all("WWW-Authenticate"))
        assert town.count("challenged_stale_nonce") == 1
        again = authorised(authorised(message, challenge), said)
        assert statuses(town.send(again, STRANGER)) == ["200 REGISTER"]

    def test_a_nonce_of_another_source_is_worth_nothing(self, town: Town) -> None:
        """Taken from the wire, it is of no use elsewhere."""
        message = asked("REGISTER")
        challenge = as_response(town.send(message, STRANGER)[0])
        other = STRANGER._replace(host="198.51.100.7")
        assert statuses(town.send(authorised(message, challenge), other)) == ["401 REGISTER"]
        assert town.count("challenged_forged_nonce") == 1

    def test_a_digest_that_cannot_be_read(self, town: Town) -> None:
        """400, counted."""
        headers = (
            'Authorization: Digest username="x", realm="polyphony", nonce="", uri="", response=""',
        ) * 2
        assert statuses(town.send(asked("REGISTER", headers=headers), STRANGER)) == ["400 REGISTER"]
        assert town.count("digest_repeated") == 1


def test_our_own_calls_are_known_by_their_socket(town: Town) -> None:
    """Address, port and transport must all be ours."""
    ours = Address("udp", "192.0.2.1", 5060)
    assert town.parts.policy.peer_class(flow_from(ours)) == "engine"
    for other in (ours._replace(port=5061), ours._replace(transport="tcp")):
        assert town.parts.policy.peer_class(flow_from(other)) == "loopback"
