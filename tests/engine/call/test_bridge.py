"""Calls between two parties: ringing, the first answer, refusals, and the two legs joined."""

from __future__ import annotations

import pytest

from engine.call.bridge import MAX_BRANCHES, best_refusal
from media.control import DigitReceived, LegFailed
from sip.session.outputs import Answered, EndCause, Progress
from tests.engine.call.town import PASSWORD, PaperLeg, Phone, Town, sdp

ALICE, BOB = "1001", "1002"


@pytest.fixture
def town() -> Town:
    return Town(lines=(ALICE, BOB))


@pytest.fixture
def alice(town: Town) -> Phone:
    return town.phone(ALICE, "192.0.2.11", registered=True)


@pytest.fixture
def bob(town: Town) -> Phone:
    return town.phone(BOB, "192.0.2.12", registered=True)


def joined(town: Town) -> bool:
    """The two legs that are open hear each other."""
    one, other = town.media.open
    return one.bridged is other and other.bridged is one


def test_two_lines_talk(town: Town, alice: Phone, bob: Phone) -> None:
    """Bob sees Alice's number; their legs are on one worker and joined; the first BYE ends both."""
    call = alice.dial(BOB, password=PASSWORD)
    assert any(isinstance(each, Answered) for each in alice.events)
    assert bob.last_invite().from_.uri.user == ALICE
    caller, callee = town.media.legs
    assert callee.near is caller
    assert joined(town)
    assert (caller.remote, callee.remote) == ((alice.host, 4000), (bob.host, 4000))
    call.hangup()
    town.pass_time(0.1)
    assert bob.ended is not None
    assert bob.ended.cause is EndCause.REMOTE_BYE
    town.at_rest()


@pytest.mark.parametrize(("bobs", "heard_in"), [(0, "PCMU"), (8, "PCMA")])
def test_both_sides_speak_one_codec_where_they_can(
    town: Town, alice: Phone, bob: Phone, bobs: int, heard_in: str
) -> None:
    """Bob is offered what Alice likes best first; Alice is answered with what Bob took, though she likes another."""
    both = sdp(alice.host).replace(b"RTP/AVP 0 101", b"RTP/AVP 8 0 101")
    bob.codec = bobs
    alice.dial(BOB, password=PASSWORD, offer=both)
    assert b"RTP/AVP 8 0 101" in bob.last_invite().body
    assert [leg.spec.codec for leg in town.media.legs] == [heard_in, heard_in]


def test_the_called_side_hangs_up(town: Town, alice: Phone, bob: Phone) -> None:
    """BYE reaches the caller."""
    alice.dial(BOB, password=PASSWORD)
    bob.call.hangup()
    town.pass_time(0.1)
    assert alice.ended is not None
    assert alice.ended.cause is EndCause.REMOTE_BYE
    town.at_rest()


def test_a_caller_with_a_late_offer_is_bridged_too(town: Town, alice: Phone, bob: Phone) -> None:
    """Our offer goes in the 200; what it hears before is a plain 180, also with early sound."""
    bob.status, bob.early = 180, sdp("192.0.2.12")
    alice.dial(BOB, password=PASSWORD, offer=None)
    assert 180 in alice.rings
    assert 183 not in alice.rings
    bob.pick_up()
    town.pass_time(0.1)
    assert joined(town)
    assert town.media.legs[0].remote == (alice.host, 4000)
    alice.call.hangup()
    town.at_rest()


class TestRinging:
    def test_ringing_is_passed_on(self, town: Town, alice: Phone, bob: Phone) -> None:
        """180 without sound."""
        bob.status = 180
        alice.dial(BOB, password=PASSWORD)
        assert alice.rings == [180]
        bob.pick_up()
        town.pass_time(0.1)
        assert joined(town)
        alice.call.hangup()
        town.at_rest()

    def test_early_sound_of_a_single_phone_is_heard(self, town: Town, alice: Phone, bob: Phone) -> None:
        """183 with an answer on both sides; a 200 that repeats it changes nothing."""
        bob.status, bob.early = None, sdp("192.0.2.12", 4300)
        alice.dial(BOB, password=PASSWORD)
        early = [each for each in alice.events if isinstance(each, Progress)]
        assert early[0].sdp is not None
        assert joined(town)
        assert town.media.legs[1].remote == (bob.host, 4300)
        bob.call.answer(sdp("192.0.2.12", 4300))
        town.pass_time(0.1)
        answered = next(each for each in alice.events if isinstance(each, Answered))
        assert answered.sdp in (None, early[0].sdp)
        alice.call.hangup()
        town.at_rest()

    def test_an_answer_other_than_the_early_one_counts(self, town: Town, alice: Phone) -> None:
        """The fork that rang is not always the one that answers: sound goes where the 200 says."""
        bob = town.phone(BOB, "192.0.2.12", registered=True, reliable="never")
        bob.status, bob.early = None, sdp("192.0.2.12", 4300)
        alice.dial(BOB, password=PASSWORD)
        assert town.media.legs[1].remote == (bob.host, 4300)
        bob.call.answer(sdp("192.0.2.12", 4400, version=2))
        town.pass_time(0.1)
        assert town.media.legs[1].remote == (bob.host, 4400)
        alice.call.hangup()
        town.at_rest()

    def test_early_sound_nobody_can_use_is_plain_ringing(self, town: Town, alice: Phone) -> None:
        """The call goes on; the final answer may be better."""
        bob = town.phone(BOB, "192.0.2.12", registered=True, reliable="never")
        bob.status, bob.early = None, sdp("192.0.2.12", codec=3).replace(b" 101", b"")
        alice.dial(BOB, password=PASSWORD)
        assert alice.rings == [180]
        bob.pick_up()
        town.pass_time(0.1)
        assert joined(town)
        alice.call.hangup()
        town.at_rest()

    def test_nobody_comes_to_the_phone(self, town: Town, alice: Phone, bob: Phone) -> None:
        """After ``sip.call_timeout`` Alice hears 480 and Bob's phone stops ringing."""
        town.parts.services.ring_timeout = 5
        bob.status = 180
        alice.dial(BOB, password=PASSWORD)
        town.pass_time(5.2)
        assert alice.ended is not None
        assert alice.ended.status == 480
        assert bob.ended is not None
        assert bob.ended.cause is EndCause.CANCELLED
        town.at_rest()

    def test_nobody_even_opened_a_leg_in_time(self, town: Town, alice: Phone, bob: Phone) -> None:
        """The caller is told all the same, and nobody is called afterwards."""
        town.parts.services.ring_timeout = 5
        town.media.holds = True
        alice.dial(BOB, password=PASSWORD)
        town.pass_time(5.2)
        town.media.release()
        assert alice.ended is not None
        assert alice.ended.status == 480
        assert bob.invites == []
        town.at_rest()

    def test_the_caller_gives_up(self, town: Town, alice: Phone, bob: Phone) -> None:
        """487 to Alice, CANCEL to Bob."""
        bob.status = 180
        call = alice.dial(BOB, password=PASSWORD)
        call.hangup()
        town.pass_time(0.2)
        assert "487 INVITE" in town.sent_to(alice)
        assert bob.ended is not None
        assert bob.ended.cause is EndCause.CANCELLED
        town.at_rest()


class TestManyPhones:
    """Bob has three phones."""

    @pytest.fixture
    def bobs(self, town: Town, bob: Phone) -> list[Phone]:
        others = [town.phone(BOB, f"192.0.2.{host}", registered=True) for host in (22, 32)]
        phones = [bob, *others]
        for phone in phones:
            phone.status = 180
        return phones

    def test_the_first_to_answer_has_the_call(self, town: Town, alice: Phone, bobs: list[Phone]) -> None:
        """The others stop ringing; their legs are closed."""
        alice.dial(BOB, password=PASSWORD)
        bobs[1].pick_up()
        town.pass_time(0.2)
        assert joined(town)
        assert town.media.open[1].remote == (bobs[1].host, 4000)
        for other in (bobs[0], bobs[2]):
            assert other.ended is not None
            assert other.ended.cause is EndCause.CANCELLED
        alice.call.hangup()
        town.at_rest()

    def test_answers_that_cross_the_cancel_are_hung_up(
        self, town: Town, alice: Phone, bobs: list[Phone]
    ) -> None:
        """Two answer in the same moment: one talks, the other gets BYE."""
        alice.dial(BOB, password=PASSWORD)
        bobs[0].pick_up()
        bobs[2].pick_up()
        town.pass_time(0.2)
        assert joined(town)
        assert [each.ended is None for each in bobs].count(True) == 1
        alice.call.hangup()
        town.at_rest()

    def test_early_sound_is_not_mixed(self, town: Town, alice: Phone, bobs: list[Phone]) -> None:
        """With several phones the caller hears 180 only."""
        bobs[0].early = sdp(bobs[0].host)
        alice.dial(BOB, password=PASSWORD)
        assert set(alice.rings) == {180}
        assert town.media.legs[0].bridged is None
        alice.call.hangup()
        town.at_rest()

    def test_the_best_refusal_is_told(self, town: Town, alice: Phone, bobs: list[Phone]) -> None:
        """486 before 503, once the last has refused."""
        for phone, status in zip(bobs, (503, 486, 500), strict=True):
            phone.status = status
        alice.dial(BOB, password=PASSWORD)
        assert alice.ended is not None
        assert alice.ended.status == 486
        town.at_rest()

    def test_one_refusal_leaves_the_others_ringing(self, town: Town, alice: Phone, bobs: list[Phone]) -> None:
        """Nothing is said before the last has refused."""
        bobs[0].status = 486
        alice.dial(BOB, password=PASSWORD)
        assert alice.ended is None
        bobs[1].pick_up()
        town.pass_time(0.2)
        assert joined(town)
        alice.call.hangup()
        town.at_rest()


def test_no_more_phones_ring_than_may(town: Town, alice: Phone) -> None:
    """Eight branches, however many phones a line has (security reference D4)."""
    bobs = [town.phone(BOB, f"192.0.2.{100 + each}", registered=True) for each in range(10)]
    for phone in bobs:
        phone.status = 180
    alice.dial(BOB, password=PASSWORD)
    assert sum(bool(phone.invites) for phone in bobs) == MAX_BRANCHES
    alice.call.hangup()
    town.at_rest()


class TestFailures:
    def test_an_answer_nobody_can_use(self, town: Town, alice: Phone, bob: Phone) -> None:
        """Bob's phone is hung up, Alice hears 480: nobody else is left to be called."""
        bob.status = None
        alice.dial(BOB, password=PASSWORD)
        bob.call.answer(sdp(bob.host, codec=3).replace(b" 101", b""))
        town.pass_time(0.2)
        assert bob.ended is not None
        assert bob.ended.cause is EndCause.REMOTE_BYE
        assert alice.ended is not None
        assert alice.ended.status == 480
        town.at_rest()

    def test_an_answer_without_sound(self, town: Town, alice: Phone, bob: Phone) -> None:
        """A stream refused with port 0 leaves nothing to talk over."""
        bob.status = None
        alice.dial(BOB, password=PASSWORD)
        bob.call.answer(sdp(bob.host, 0))
        town.pass_time(0.2)
        assert alice.ended is not None
        assert alice.ended.status == 480
        town.at_rest()

    def test_an_offer_the_answer_cannot_be_made_to(self, town: Town, alice: Phone, bob: Phone) -> None:
        """The caller's codec is not ours: it is refused, and Bob, who had answered, is hung up."""
        alice.dial(BOB, password=PASSWORD, offer=sdp(alice.host, codec=3).replace(b" 101", b""))
        assert alice.ended is not None
        assert alice.ended.status == 488
        assert bob.ended is not None
        town.at_rest()

    def test_the_worker_of_a_call_dies(self, town: Town, alice: Phone, bob: Phone) -> None:
        """Both sides are told at once."""
        alice.dial(BOB, password=PASSWORD)
        for leg in town.media.open:
            leg.happens(LegFailed(leg=leg.id, reason="worker_lost"))
        town.pass_time(0.2)
        assert alice.ended is not None
        assert bob.ended is not None
        town.at_rest()

    def test_no_leg_for_the_caller(self, town: Town, alice: Phone, bob: Phone) -> None:
        """503, and Bob never rings."""
        town.media.refuses = True
        alice.dial(BOB, password=PASSWORD)
        assert alice.ended is not None
        assert alice.ended.status == 503
        assert bob.invites == []
        town.at_rest()

    def test_no_leg_for_the_called(self, town: Town, alice: Phone, bob: Phone) -> None:
        """503 as well, once no branch is left."""
        opened: list[PaperLeg] = []
        open_leg = town.media.open_leg

        def only_one(spec: object, near: PaperLeg | None = None, **placed: object) -> object:
            town.media.refuses = near is not None
            opened.append(None)  # type: ignore[arg-type]
            return open_leg(spec, near)  # type: ignore[arg-type]

        town.media.open_leg = only_one  # type: ignore[method-assign,assignment]
        alice.dial(BOB, password=PASSWORD)
        assert len(opened) == 2
        assert alice.ended is not None
        assert alice.ended.status == 503
        town.at_rest()

    @pytest.mark.parametrize("dies", [True, False])
    def test_the_caller_leaves_while_legs_are_opened(
        self, town: Town, alice: Phone, bob: Phone, dies: bool
    ) -> None:
        """Whether the leg then comes or not, nothing is left behind and nobody rings."""
        open_leg = town.media.open_leg

        def slow_second(spec: object, near: PaperLeg | None = None, **placed: object) -> object:
            town.media.holds = near is not None
            return open_leg(spec, near)  # type: ignore[arg-type]

        town.media.open_leg = slow_second  # type: ignore[method-assign,assignment]
        call = alice.dial(BOB, password=PASSWORD)
        call.hangup()
        town.pass_time(0.3)
        for _, leg in town.media.held:
            leg.alive = not dies
        town.media.fail_held() if dies else town.media.release()
        town.pass_time(0.1)
        assert bob.invites == []
        town.at_rest()

    def test_a_fault_while_calling_is_the_callers_500(
        self, town: Town, alice: Phone, bob: Phone, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A bug of ours must not leave the caller listening to nothing."""

        def broken(**parts: object) -> None:
            raise RuntimeError("a bug")

        monkeypatch.setattr(town.endpoint, "call", broken)
        alice.dial(BOB, password=PASSWORD)
        assert alice.ended is not None
        assert alice.ended.status == 500
        assert town.count("call_fault") == 1
        assert len(town.calls) == 0
        assert town.media.open == []


def test_a_line_without_a_phone(town: Town, alice: Phone) -> None:
    """480."""
    alice.dial(BOB, password=PASSWORD)
    assert alice.ended is not None
    assert alice.ended.status == 480
    town.at_rest()


def test_digits_by_info_become_events_for_the_other_side(town: Town, alice: Phone, bob: Phone) -> None:
    """Those in the sound cross by themselves; those of INFO are sent as RFC 4733 events, either way."""
    alice.dial(BOB, password=PASSWORD)
    caller, callee = town.media.legs
    alice.call.info("application/dtmf-relay", b"Signal=5\r\n")
    bob.call.info("application/dtmf-relay", b"Signal=#\r\n")
    town.pass_time(0.1)
    caller.happens(DigitReceived(leg=1, digit="9", duration_ms=100))
    assert callee.told == [("send_digits", "5")]
    assert caller.told == [("send_digits", "#")]
    alice.call.hangup()
    town.at_rest()


def test_one_side_holds(town: Town, alice: Phone, bob: Phone) -> None:
    """Bob's hold is his own leg's affair; Alice hears nothing of it in SIP."""
    alice.dial(BOB, password=PASSWORD)
    bob.call.reoffer(sdp(bob.host, direction="sendonly", version=2))
    before = len(town.sent_to(alice))
    town.pass_time(0.1)
    assert town.media.legs[1].spec.send is False
    assert len(town.sent_to(alice)) == before
    alice.call.hangup()
    town.at_rest()


def test_stopping_the_engine_says_goodbye_to_both(town: Town, alice: Phone, bob: Phone) -> None:
    """Also to a phone that only rings yet."""
    alice.dial(BOB, password=PASSWORD)
    carol = town.phone("200", "192.0.2.40")
    bob.status = 180
    carol.dial(BOB)
    done = town.calls.stop_all()
    town.pass_time(0.5)
    assert done.called
    assert all(phone.ended is not None for phone in (alice, bob, carol))
    town.at_rest()


@pytest.mark.parametrize(
    ("statuses", "told"),
    [
        ([486], 486),
        ([503, 404], 404),
        ([408, 600], 600),
        ([302], 480),
        ([401], 480),
        ([407, 500], 480),
        ([], 480),
    ],
)
def test_best_refusal(statuses: list[int], told: int) -> None:
    """RFC 3261 section 16.7; a challenge or a redirection is not the caller's."""
    assert best_refusal(statuses) == told
