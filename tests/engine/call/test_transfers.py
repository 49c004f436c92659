"""REFER, Replaces and redirections: how calls move, and who may move them (security reference C7)."""

from __future__ import annotations

import pytest

from engine.store import Link
from sip.call import Call
from sip.session.outputs import Answered, EndCause
from sip.transfer import Replaces
from sip.uri import Uri
from tests.engine.call.town import ECHO, ENGINE, PASSWORD, Phone, Town, sdp

ALICE, BOB, CAROL = "1001", "1002", "1003"
PBX = "192.0.2.90"
OUTSIDE = "90123"
LINK = Link(id=1, name="pbx", host=PBX, port=5060, register=False, dialled_prefixes="9")


@pytest.fixture
def town() -> Town:
    return Town(lines=(ALICE, BOB, CAROL), links=(LINK,))


@pytest.fixture
def alice(town: Town) -> Phone:
    return town.phone(ALICE, "192.0.2.11", registered=True)


@pytest.fixture
def bob(town: Town) -> Phone:
    return town.phone(BOB, "192.0.2.12", registered=True)


@pytest.fixture
def carol(town: Town) -> Phone:
    return town.phone(CAROL, "192.0.2.13", registered=True)


@pytest.fixture
def pbx(town: Town) -> Phone:
    phone = town.phone("pbx", PBX)
    town.pass_time(0.1)
    return phone


def to(number: str) -> Uri:
    return Uri("sip", number, None, ENGINE.host)


def ways(town: Town) -> set[tuple[str | None, int | None]]:
    """Where the open legs send."""
    return {leg.remote for leg in town.media.open}


def in_call(phone: Phone) -> Call:
    return phone.call


class TestBlindTransfer:
    def test_the_other_side_goes_on_with_somebody_new(
        self, town: Town, alice: Phone, bob: Phone, carol: Phone
    ) -> None:
        """Alice sends Bob to Carol: NOTIFY 100, 180, 200, then her own BYE; Bob notices nothing in SIP."""
        carol.status = 180
        alice.dial(BOB, password=PASSWORD)
        before = len(town.sent_to(bob))
        in_call(alice).refer(to(CAROL))
        town.pass_time(0.2)
        assert alice.reports == [100, 180]
        assert carol.last_invite().from_.uri.user == BOB  # whom Carol will talk to (RFC 5589 section 6.1)
        carol.pick_up()
        town.pass_time(0.2)
        assert alice.reports == [100, 180, 200]
        assert alice.ended is not None
        assert ways(town) == {(bob.host, 4000), (carol.host, 4000)}
        assert len(town.sent_to(bob)) == before
        in_call(carol).hangup()
        town.pass_time(0.1)
        assert bob.ended is not None
        assert bob.ended.cause is EndCause.REMOTE_BYE
        town.at_rest()

    def test_the_called_side_transfers_too(self, town: Town, alice: Phone, bob: Phone, carol: Phone) -> None:
        """Bob, who was called, sends Alice to Carol."""
        alice.dial(BOB, password=PASSWORD)
        in_call(bob).refer(to(CAROL))
        town.pass_time(0.2)
        assert bob.reports[-1] == 200
        assert ways(town) == {(alice.host, 4000), (carol.host, 4000)}
        in_call(alice).hangup()
        town.at_rest()

    def test_a_referrer_that_hangs_up_early(self, town: Town, alice: Phone, bob: Phone, carol: Phone) -> None:
        """RFC 5589 section 6.1: BYE right after the 202. Bob waits, the leg is silent, Carol gets him."""
        carol.status = 180
        alice.dial(BOB, password=PASSWORD)
        in_call(alice).refer(to(CAROL))
        town.pass_time(0.1)
        in_call(alice).hangup()
        town.pass_time(0.2)
        assert bob.ended is None
        assert town.media.legs[0].spec.codec is None
        carol.pick_up()
        town.pass_time(0.2)
        assert ways(town) == {(bob.host, 4000), (carol.host, 4000)}
        in_call(bob).hangup()
        town.pass_time(0.1)
        assert carol.ended is not None
        town.at_rest()

    def test_nobody_takes_over_from_a_referrer_that_is_gone(
        self, town: Town, alice: Phone, bob: Phone, carol: Phone
    ) -> None:
        """Carol refuses: then Bob's call is over as well."""
        carol.status = 180
        alice.dial(BOB, password=PASSWORD)
        in_call(alice).refer(to(CAROL))
        town.pass_time(0.1)
        in_call(alice).hangup()
        town.pass_time(0.1)
        in_call(carol).reject(486)
        town.pass_time(0.2)
        assert bob.ended is not None
        assert bob.ended.cause is EndCause.REMOTE_BYE
        town.at_rest()

    @pytest.mark.parametrize("gone", [True, False])
    def test_the_other_side_hangs_up_meanwhile(
        self, town: Town, alice: Phone, bob: Phone, carol: Phone, gone: bool
    ) -> None:
        """Bob leaves while Carol rings: nobody is left to be connected, so she stops ringing."""
        carol.status = 180
        alice.dial(BOB, password=PASSWORD)
        in_call(alice).refer(to(CAROL))
        town.pass_time(0.1)
        if gone:
            in_call(alice).hangup()
            town.pass_time(0.1)
        in_call(bob).hangup()
        town.pass_time(0.2)
        assert carol.ended is not None
        assert carol.ended.cause is EndCause.CANCELLED
        assert alice.ended is not None
        town.at_rest()

    def test_a_target_that_refuses_leaves_all_as_it_was(
        self, town: Town, alice: Phone, bob: Phone, carol: Phone
    ) -> None:
        """NOTIFY 486; Alice and Bob talk on, and she may try again."""
        carol.status = 486
        alice.dial(BOB, password=PASSWORD)
        in_call(alice).refer(to(CAROL))
        town.pass_time(0.2)
        assert alice.reports[-1] == 486
        assert alice.ended is None
        assert ways(town) == {(alice.host, 4000), (bob.host, 4000)}
        assert town.count("transfer_failed") == 1
        carol.status = 200
        in_call(alice).refer(to(CAROL))
        town.pass_time(0.2)
        assert alice.reports[-1] == 200
        in_call(bob).hangup()
        town.at_rest()

    def test_a_target_that_rings_for_ever(self, town: Town, alice: Phone, bob: Phone, carol: Phone) -> None:
        """After ``sip.call_timeout`` it stops, NOTIFY 480."""
        town.parts.services.ring_timeout = 5
        carol.status = 180
        alice.dial(BOB, password=PASSWORD)
        in_call(alice).refer(to(CAROL))
        town.pass_time(5.5)
        assert alice.reports[-1] == 480
        assert carol.ended is not None
        assert carol.ended.cause is EndCause.CANCELLED
        in_call(alice).hangup()
        town.at_rest()

    def test_an_answer_nobody_can_use(self, town: Town, alice: Phone, bob: Phone, carol: Phone) -> None:
        """NOTIFY 488, Carol is hung up, and the two talk on."""
        carol.status = None
        alice.dial(BOB, password=PASSWORD)
        in_call(alice).refer(to(CAROL))
        town.pass_time(0.1)
        in_call(carol).answer(sdp(carol.host, 0))
        town.pass_time(0.2)
        assert alice.reports[-1] == 488
        assert carol.ended is not None
        assert ways(town) == {(alice.host, 4000), (bob.host, 4000)}
        in_call(alice).hangup()
        town.at_rest()

    def test_the_next_phone_is_tried(self, town: Town, alice: Phone, bob: Phone, carol: Phone) -> None:
        """A line with two phones: the first refuses, the second answers."""
        carol.status = 486
        second = town.phone(CAROL, "192.0.2.33", registered=True)
        alice.dial(BOB, password=PASSWORD)
        in_call(alice).refer(to(CAROL))
        town.pass_time(0.3)
        assert alice.reports[-1] == 200
        assert ways(town) == {(bob.host, 4000), (second.host, 4000)}
        in_call(bob).hangup()
        town.at_rest()

    def test_a_caller_leaves_an_automate_to_somebody(self, town: Town, alice: Phone, carol: Phone) -> None:
        """The echo goes on, with Carol."""
        alice.dial(ECHO, password=PASSWORD)
        in_call(alice).refer(to(CAROL))
        town.pass_time(0.2)
        assert alice.reports[-1] == 200
        assert ways(town) == {(carol.host, 4000)}
        in_call(carol).hangup()
        town.at_rest()

    def test_an_automate_of_ours_is_a_target(self, town: Town, alice: Phone, bob: Phone) -> None:
        """We call ourselves, and need no password although the call bears a line's number."""
        alice.dial(BOB, password=PASSWORD)
        in_call(alice).refer(to(ECHO))
        town.pass_time(0.3)
        assert alice.reports[-1] == 200
        assert town.calls.by_number[ECHO] == 1
        in_call(bob).hangup()
        town.at_rest()


class TestRights:
    @pytest.mark.parametrize(("number", "status"), [("40404", 404), (CAROL, 480)])
    def test_what_cannot_be_reached(
        self, town: Town, alice: Phone, bob: Phone, number: str, status: int
    ) -> None:
        """404 for no such number, 480 for a line without a phone; the call goes on."""
        alice.dial(BOB, password=PASSWORD)
        in_call(alice).refer(to(number))
        town.pass_time(0.1)
        assert alice.reports == [status]
        assert ways(town) == {(alice.host, 4000), (bob.host, 4000)}
        assert town.count("refer_refused") == 1
        in_call(alice).hangup()
        town.at_rest()

    def test_a_line_may_transfer_outside(self, town: Town, alice: Phone, bob: Phone, pbx: Phone) -> None:
        """It may dial there itself, and so it is its number the PBX sees."""
        alice.dial(BOB, password=PASSWORD)
        in_call(alice).refer(to(OUTSIDE))
        town.pass_time(0.2)
        assert alice.reports[-1] == 200
        assert pbx.last_invite().from_.uri.user == ALICE
        in_call(bob).hangup()
        town.at_rest()

    def test_the_phone_of_a_line_has_its_rights(
        self, town: Town, alice: Phone, bob: Phone, pbx: Phone
    ) -> None:
        """Bob was called, and proved nothing but that he is where the line is registered: that is enough."""
        stranger = town.phone("200", "192.0.2.40")
        stranger.dial(BOB)
        in_call(bob).refer(to(OUTSIDE))
        town.pass_time(0.2)
        assert bob.reports[-1] == 200
        in_call(stranger).hangup()
        town.at_rest()

    @pytest.mark.parametrize("source", [PBX, "192.0.2.40"])
    def test_a_number_shown_gives_no_right(self, town: Town, bob: Phone, source: str) -> None:
        """A caller from a link, or from an accepted network, shows whatever it likes: 403."""
        caller = town.phone("shown", source)
        caller.dial(BOB, caller=ALICE if source == PBX else "200")
        assert any(isinstance(each, Answered) for each in caller.events)
        in_call(caller).refer(to(OUTSIDE))
        town.pass_time(0.1)
        assert caller.reports == [403]
        in_call(caller).hangup()
        town.at_rest()

    def test_rights_do_not_pass_to_the_successor(
        self, town: Town, alice: Phone, bob: Phone, pbx: Phone
    ) -> None:
        """Alice is replaced by somebody behind the PBX: who is there now may not dial out again."""
        alice.dial(BOB, password=PASSWORD)
        in_call(alice).refer(to(OUTSIDE))
        town.pass_time(0.2)
        in_call(pbx).refer(to("95555"))
        town.pass_time(0.2)
        assert pbx.reports == [403]
        in_call(bob).hangup()
        town.at_rest()


def named(phone: Phone) -> Replaces:
    """How the engine knows this phone's call."""
    replaces = in_call(phone).session.replaces()
    assert replaces is not None
    return replaces


class TestAttendedTransfer:
    def test_the_two_partners_are_joined(self, town: Town, alice: Phone, bob: Phone, carol: Phone) -> None:
        """Alice talks to Bob, asks Carol on a second call, and joins them; both her calls end.

        What reaches Carol's phone names the dialog it has itself, not Alice's (RFC 3891 section 3).
        """
        first = alice.dial(BOB, password=PASSWORD)
        alice.dial(CAROL, password=PASSWORD)
        replaces = named(alice)
        carols = in_call(carol).session.dialog_id
        assert carols is not None
        first.refer(to(CAROL), replaces=replaces)
        town.pass_time(0.5)
        assert alice.reports[-1] == 200
        asked = Replaces.parse(carol.last_invite().headers.get("Replaces") or "")
        assert (asked.call_id, asked.to_tag, asked.from_tag) == (
            carols.call_id,
            carols.local_tag,
            carols.remote_tag,
        )
        assert ways(town) == {(bob.host, 4000), (carol.host, 4000)}
        assert len(town.calls) == 1
        in_call(bob).hangup()
        town.at_rest()

    def test_a_caller_from_outside_is_joined(self, town: Town, alice: Phone, bob: Phone, pbx: Phone) -> None:
        """The PBX's caller is in no number plan; it is reached where its call is."""
        pbx.dial(ALICE, caller="0612345678")
        alice_first = in_call(alice)
        second = alice.dial(BOB, password=PASSWORD)
        replaces = alice_first.session.replaces()
        second.refer(to("0612345678"), replaces=replaces)
        town.pass_time(0.3)
        assert pbx.last_invite().headers.get("Replaces") is not None
        assert pbx.last_invite().from_.uri.user == ALICE
        assert alice.reports[-1] == 200
        assert ways(town) == {(bob.host, 4000), (PBX, 4000)}
        in_call(bob).hangup()
        town.at_rest()

    def test_a_dialog_we_do_not_know_is_named_as_it_was(
        self, town: Town, alice: Phone, bob: Phone, carol: Phone
    ) -> None:
        """It may be one between two phones, which only they know; Carol's phone refuses it."""
        alice.dial(BOB, password=PASSWORD)
        in_call(alice).refer(to(CAROL), replaces=Replaces("nobodys", "a", "b"))
        town.pass_time(0.3)
        assert carol.last_invite().headers.get("Replaces") == "nobodys;to-tag=a;from-tag=b"
        assert alice.reports[-1] == 481
        in_call(alice).hangup()
        town.at_rest()

    def test_somebody_elses_dialog_is_not_translated(
        self, town: Town, alice: Phone, bob: Phone, carol: Phone
    ) -> None:
        """Whoever may not take the place of the named party does not get at its partner through a REFER."""
        alice.dial(BOB, password=PASSWORD)
        stranger = town.phone("shown", PBX)
        stranger.dial(ECHO, caller="0612")
        in_call(stranger).refer(to(BOB), replaces=named(alice))
        town.pass_time(0.3)
        assert bob.last_invite().headers.get("Replaces") == str(named(alice))
        assert stranger.reports[-1] == 481
        in_call(alice).hangup()
        in_call(stranger).hangup()
        town.at_rest()


class TestReplaces:
    """An INVITE that comes to us with Replaces (RFC 3891)."""

    def test_it_takes_the_place_of_a_caller(self, town: Town, alice: Phone, bob: Phone, carol: Phone) -> None:
        """Carol takes Alice's call over: same legs, Bob notices nothing, Alice gets BYE."""
        alice.dial(BOB, password=PASSWORD)
        before = len(town.sent_to(bob))
        carol.dial(BOB, password=PASSWORD, headers=(("Replaces", str(named(alice))),))
        town.pass_time(0.2)
        assert alice.ended is not None
        assert alice.ended.cause is EndCause.REMOTE_BYE
        assert ways(town) == {(bob.host, 4000), (carol.host, 4000)}
        assert len(town.sent_to(bob)) == before
        assert len(town.media.legs) == 2
        in_call(carol).hangup()
        town.pass_time(0.1)
        assert bob.ended is not None
        town.at_rest()

    def test_with_a_late_offer(self, town: Town, alice: Phone, bob: Phone, carol: Phone) -> None:
        """Our offer in the 200, the answer in the ACK."""
        alice.dial(BOB, password=PASSWORD)
        carol.dial(BOB, password=PASSWORD, offer=None, headers=(("Replaces", str(named(alice))),))
        town.pass_time(0.2)
        assert ways(town) == {(bob.host, 4000), (carol.host, 4000)}
        in_call(carol).hangup()
        town.at_rest()

    def test_picking_up_a_call_that_rings_elsewhere(
        self, town: Town, alice: Phone, bob: Phone, carol: Phone
    ) -> None:
        """Carol names the dialog in which Bob's phone rings: she gets the call, his phone stops."""
        bob.status = 180
        alice.dial(BOB, password=PASSWORD)
        early = in_call(bob).session.replaces()
        carol.dial(BOB, password=PASSWORD, headers=(("Replaces", f"{early};early-only"),))
        town.pass_time(0.3)
        assert any(isinstance(each, Answered) for each in alice.events)
        assert bob.ended is not None
        assert bob.ended.cause is EndCause.CANCELLED
        assert ways(town) == {(alice.host, 4000), (carol.host, 4000)}
        in_call(alice).hangup()
        town.at_rest()

    def test_an_offer_we_cannot_use_changes_nothing(
        self, town: Town, alice: Phone, bob: Phone, carol: Phone
    ) -> None:
        """488, and Alice keeps her call."""
        alice.dial(BOB, password=PASSWORD)
        bad = sdp(carol.host, codec=3).replace(b" 101", b"")
        carol.dial(BOB, password=PASSWORD, offer=bad, headers=(("Replaces", str(named(alice))),))
        assert carol.ended is not None
        assert carol.ended.status == 488
        assert ways(town) == {(alice.host, 4000), (bob.host, 4000)}
        in_call(alice).hangup()
        town.at_rest()

    def test_a_dialog_that_is_not_there(self, town: Town, carol: Phone) -> None:
        """481."""
        carol.dial(BOB, password=PASSWORD, headers=(("Replaces", "nobodys;to-tag=a;from-tag=b"),))
        assert carol.ended is not None
        assert carol.ended.status == 481
        town.at_rest()

    def test_a_stranger_to_the_call_may_not(self, town: Town, alice: Phone, pbx: Phone) -> None:
        """Knowing the tags of a line's call to the outside gives a caller from elsewhere nothing: 403."""
        alice.dial(OUTSIDE, password=PASSWORD)
        other = town.phone("200", "192.0.2.40")
        other.dial(OUTSIDE, headers=(("Replaces", str(named(pbx))),))
        assert other.ended is not None
        assert other.ended.status == 403
        assert town.count("replaces_forbidden") == 1
        assert ways(town) == {(alice.host, 4000), (PBX, 4000)}
        in_call(alice).hangup()
        town.at_rest()


class TestRedirection:
    """A 3xx leads where whoever sent it may call itself, and no further."""

    def redirect(self, phone: Phone, *targets: str) -> None:
        phone.status = 302
        phone.headers = (("Contact", ", ".join(f"<{each}>" for each in targets)),)

    def test_a_line_forwards_to_another(self, town: Town, alice: Phone, bob: Phone, carol: Phone) -> None:
        """By number, whatever host stands beside it."""
        self.redirect(bob, f"sip:{CAROL}@elsewhere.example")
        alice.dial(BOB, password=PASSWORD)
        assert ways(town) == {(alice.host, 4000), (carol.host, 4000)}
        in_call(alice).hangup()
        town.at_rest()

    def test_a_line_forwards_outside(self, town: Town, bob: Phone, pbx: Phone) -> None:
        """As the owner of the line, which may dial there; the caller could not."""
        self.redirect(bob, f"sip:{OUTSIDE}@192.0.2.1")
        stranger = town.phone("200", "192.0.2.40")
        stranger.dial(BOB)
        assert len(pbx.invites) == 1
        in_call(stranger).hangup()
        town.at_rest()

    def test_no_address_is_called_because_a_phone_said_so(
        self, town: Town, alice: Phone, bob: Phone, pbx: Phone
    ) -> None:
        """A target that is no number of ours, at a PBX that trusts us: not called (toll fraud)."""
        self.redirect(bob, f"sip:00881234@{PBX}", "sip:evil@198.51.100.1", "tel:40404")
        alice.dial(BOB, password=PASSWORD)
        assert pbx.invites == []
        assert alice.ended is not None
        assert alice.ended.status == 480
        town.at_rest()

    def test_a_pbx_redirects_within_itself(self, town: Town, alice: Phone, pbx: Phone) -> None:
        """The same dialog goes on to the other target (RFC 3261 section 8.1.3.4)."""

        def once(call: Call) -> None:
            if pbx.last_call is None:
                pbx.last_call = call
                call.reject(302, headers=(("Contact", f"<sip:elsewhere@{PBX}>"),))
            else:
                call.answer(sdp(PBX))

        pbx.application.on_invite = once
        alice.dial(OUTSIDE, password=PASSWORD)
        one, other = pbx.invites
        assert other.uri.startswith(f"sip:elsewhere@{PBX}")
        assert one.call_id == other.call_id
        in_call(alice).hangup()
        town.at_rest()

    def test_a_pbx_does_not_redirect_out_of_another_link(self, town: Town, alice: Phone, pbx: Phone) -> None:
        """It has no line's rights."""
        self.redirect(pbx, "sip:95555@192.0.2.1")
        alice.dial(OUTSIDE, password=PASSWORD)
        assert len(pbx.invites) == 1
        assert alice.ended is not None
        assert alice.ended.status == 480
        town.at_rest()

    def test_phones_that_send_us_round_in_circles(
        self, town: Town, alice: Phone, bob: Phone, carol: Phone
    ) -> None:
        """It ends after eight calls."""
        self.redirect(bob, f"sip:{CAROL}@192.0.2.1")
        self.redirect(carol, f"sip:{BOB}@192.0.2.1")
        alice.dial(BOB, password=PASSWORD)
        town.pass_time(0.5)
        assert len(bob.invites) + len(carol.invites) == 8
        assert alice.ended is not None
        assert alice.ended.status == 480
        town.at_rest()

    def test_a_transfer_is_redirected_by_the_same_rules(
        self, town: Town, alice: Phone, bob: Phone, carol: Phone
    ) -> None:
        """REFER to Carol, whose phone forwards to an automate."""
        self.redirect(carol, f"sip:{ECHO}@192.0.2.1")
        alice.dial(BOB, password=PASSWORD)
        in_call(alice).refer(to(CAROL))
        town.pass_time(0.4)
        assert alice.reports[-1] == 200
        assert town.calls.by_number[ECHO] == 1
        in_call(bob).hangup()
        town.at_rest()


def test_a_refer_to_nothing_that_is_a_number(town: Town, alice: Phone, bob: Phone) -> None:
    """404."""
    alice.dial(BOB, password=PASSWORD)
    in_call(alice).refer(Uri("sip", None, None, "192.0.2.1"))
    town.pass_time(0.1)
    assert alice.reports == [404]
    in_call(alice).hangup()
    town.at_rest()
