"""The keys in a room: each row of the table, lists gone through one by one, consent, and any keys at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conference import commands as c
from conference.menu import (
    HANDS,
    HINT_SECONDS,
    LONGEST_WORDS,
    MENU,
    MENU_SECONDS,
    MOST_VOLUME_DB,
    PEOPLE,
    VOLUME_STEP_DB,
    WAITING,
    Act,
    Menu,
    MenuWords,
    Named,
    Output,
    Quiet,
    Tell,
    View,
)
from conference.participant import Participant, ParticipantKind, ParticipantState
from conference.refusals import Reason
from conference.role import Role


def person(number: int, state: ParticipantState = ParticipantState.IN, **changes: object) -> Participant:
    values: dict[str, object] = {
        "id": number,
        "kind": ParticipantKind.PHONE,
        "name": "",
        "number": str(100 + number),
        "identity": None,
        "role": Role.GUEST,
        "state": state,
        "joined_at": 0.0,
        "language": "en",
    }
    return Participant(**(values | changes))  # type: ignore[arg-type]


class Finger:
    """A host (or guest) and what it is told."""

    def __init__(self, *others: Participant, role: Role = Role.HOST, **view: object) -> None:
        self.me = person(1, role=role)
        self.people = [self.me, *others]
        self.how = view
        self.menu = Menu(self.view)
        self.now = 0.0

    def view(self) -> View:
        return View(me=self.people[0], people=tuple(self.people), **self.how)  # type: ignore[arg-type]

    def press(self, keys: str) -> list[Output]:
        for key in keys:
            self.menu.digit(key, self.now)
        return self.menu.take_outputs()

    def waits(self, seconds: float) -> list[Output]:
        self.now += seconds
        self.menu.handle_timer(self.now)
        return self.menu.take_outputs()

    def hears(self) -> list[Output]:
        self.menu.spoken(self.now)
        return self.menu.take_outputs()


class TestTable:
    @pytest.mark.parametrize(
        ("keys", "command"),
        [
            ("*1", c.Mute(1)),
            ("*2", c.RaiseHand(1)),
            ("*3", c.AnnounceCount(1)),
            ("*4", c.SetVolume(1, -VOLUME_STEP_DB)),
            ("*6", c.SetVolume(1, VOLUME_STEP_DB)),
            ("*7", c.SetGain(1, -VOLUME_STEP_DB)),
            ("*9", c.SetGain(1, VOLUME_STEP_DB)),
            ("*8", c.StepBack(1)),
            ("#1", c.MuteAll()),
            ("#4", c.Lock()),
            ("#5", c.StartRecording()),
            ("#6", c.PauseRecording()),
        ],
    )
    def test_a_verb(self, keys: str, command: c.Command) -> None:
        """At once, and the menu is closed again."""
        finger = Finger()
        assert finger.press(keys) == [Act(command)]
        assert not finger.menu.open
        assert finger.press("1") == []

    @pytest.mark.parametrize(
        ("keys", "changes", "view", "command"),
        [
            ("*1", {"muted": True}, {}, c.Unmute(1)),
            ("*1", {"muted_by_host": True}, {}, c.Unmute(1)),
            ("*2", {"hand": True}, {}, c.LowerHand(1)),
            ("*6", {"volume_db": MOST_VOLUME_DB}, {}, c.SetVolume(1, MOST_VOLUME_DB)),
            ("#1", {}, {"guests_muted": True}, c.UnmuteAll()),
            ("#4", {}, {"locked": True}, c.Unlock()),
            ("#5", {}, {"recording": True}, c.StopRecording()),
            ("#6", {}, {"recording": True, "recording_paused": True}, c.ResumeRecording()),
        ],
    )
    def test_the_other_way_round(
        self, keys: str, changes: dict[str, object], view: dict[str, object], command: c.Command
    ) -> None:
        """The same key undoes it."""
        finger = Finger(**view)
        finger.people[0] = person(1, role=Role.HOST, **changes)
        assert finger.press(keys) == [Act(command)]

    def test_every_row_is_tried_and_no_key_stands_twice(self) -> None:
        """Of each table."""
        assert len({item.keys for item in MENU}) == len(MENU)
        for table in (WAITING, HANDS, PEOPLE):
            assert len({item.key for item in table}) == len(table)

    def test_a_guest_has_no_host_menu(self) -> None:
        """The hash key means nothing to it."""
        assert Finger(role=Role.GUEST).press("#1") == []

    def test_a_key_that_means_nothing(self) -> None:
        """Said; the menu stays open."""
        finger = Finger()
        assert finger.press("*5") == [Tell((MenuWords.NOT_POSSIBLE,))]
        assert finger.press("1") == [Quiet(), Act(c.Mute(1))]

    def test_ending_the_meeting_is_asked_again(self) -> None:
        """1 does it, anything else does not."""
        finger = Finger()
        assert finger.press("#9") == [Tell((MenuWords.SURE_TO_END,))]
        assert finger.press("1") == [Quiet(), Act(c.End())]
        assert finger.press("#9") == [Tell((MenuWords.SURE_TO_END,))]
        assert finger.press("2") == [Quiet()]

    def test_what_is_refused_is_said(self) -> None:
        """By the room's own words."""
        finger = Finger()
        finger.press("*1")
        finger.menu.refused(Reason.MUTED_BY_HOST, 0.0)
        assert finger.menu.take_outputs() == [Tell((Reason.MUTED_BY_HOST,))]


class TestHelp:
    def test_who_hesitates_hears_it(self) -> None:
        """After two seconds; a key then still is a choice, and after a while it closes."""
        finger = Finger()
        finger.press("*")
        assert finger.waits(HINT_SECONDS) == [Tell((MenuWords.GUEST,))]
        assert finger.press("3") == [Quiet(), Act(c.AnnounceCount(1))]
        finger.press("#")
        assert finger.waits(HINT_SECONDS) == [Tell((MenuWords.HOST,))]
        finger.hears()
        finger.waits(MENU_SECONDS)
        assert not finger.menu.open
        assert finger.press("3") == []

    def test_asked_for(self) -> None:
        """By 0; star again closes."""
        finger = Finger()
        assert finger.press("*0") == [Tell((MenuWords.GUEST,))]
        assert finger.press("*") == [Quiet()]
        assert not finger.menu.open

    def test_words_whose_end_nobody_tells(self) -> None:
        """The menu closes all the same."""
        finger = Finger()
        finger.press("#0")
        finger.waits(LONGEST_WORDS)
        finger.waits(MENU_SECONDS)
        assert finger.menu.deadline is None
        assert not finger.menu.open


class TestLists:
    def test_the_lobby_one_by_one(self) -> None:
        """Named in turn, admitted or turned away; the choices are said once."""
        lobby = [person(number, ParticipantState.LOBBY) for number in (2, 3, 4)]
        finger = Finger(*lobby)
        assert finger.press("#2") == [Tell((Named(2), MenuWords.WAITING_CHOICE))]
        assert finger.press("1") == [Quiet(), Act(c.Admit(2)), Tell((Named(3),))]
        finger.people.remove(lobby[0])
        assert finger.press("3") == [Quiet(), Tell((Named(4),))]
        assert finger.press("2") == [Quiet(), Act(c.Deny(4)), Tell((MenuWords.END_OF_LIST,))]
        assert not finger.menu.open

    def test_all_at_once(self) -> None:
        """9 admits everybody."""
        finger = Finger(person(2, ParticipantState.LOBBY), person(3, ParticipantState.LOBBY))
        assert finger.press("#29")[-1] == Act(c.Admit())
        assert not finger.menu.open

    def test_who_has_gone_meanwhile_is_left_out(self) -> None:
        """Nothing is done to it, and the list goes on."""
        finger = Finger(person(2, ParticipantState.LOBBY), person(3, ParticipantState.LOBBY))
        finger.press("#2")
        del finger.people[1]
        assert finger.press("1") == [Quiet(), Tell((Named(3),))]

    def test_who_asks_to_speak(self) -> None:
        """Gets the floor, or not."""
        finger = Finger(person(2, hand=True, muted_by_host=True), person(3, hand=True), person(4))
        assert finger.press("#3") == [Tell((Named(2), MenuWords.HAND_CHOICE))]
        assert finger.press("1") == [Quiet(), Act(c.Unmute(2)), Act(c.LowerHand(2)), Tell((Named(3),))]
        assert finger.press("2") == [Quiet(), Act(c.LowerHand(3)), Tell((MenuWords.END_OF_LIST,))]

    def test_everybody(self) -> None:
        """Muted and made a host without the list going on; then expelled."""
        finger = Finger(person(2), person(3))
        finger.press("#7")
        assert finger.press("1") == [Quiet(), Act(c.Mute(2))]
        finger.people[1] = person(2, muted_by_host=True)
        assert finger.press("14") == [Act(c.Unmute(2)), Act(c.SetRole(2, Role.HOST))]
        assert finger.press("2") == [Act(c.Expel(2)), Tell((Named(3),))]
        assert finger.press("5") == [Quiet(), Tell((MenuWords.PEOPLE_CHOICE,))]
        assert finger.press("*") == [Quiet()]
        assert not finger.menu.open

    @pytest.mark.parametrize(
        ("keys", "words"),
        [("#2", MenuWords.NOBODY_WAITS), ("#3", MenuWords.NO_HANDS), ("#7", MenuWords.NOBODY_ELSE)],
    )
    def test_an_empty_list(self, keys: str, words: MenuWords) -> None:
        """Is said to be so."""
        assert Finger().press(keys) == [Tell((words,))]


def test_consent_goes_before_menus() -> None:
    """As long as it is asked for, 1 agrees, 2 does not, other keys mean nothing; who has answered has its menu."""
    for key, agrees in (("1", True), ("2", False)):
        finger = Finger(role=Role.GUEST, consent_asked=True)
        assert finger.press("*3") == []
        assert finger.press(key) == [Act(c.GiveConsent(1, agrees))]
        assert finger.press("*3") == [Act(c.AnnounceCount(1))]
        finger.how["consent_asked"] = False
        finger.press("5")
        finger.how["consent_asked"] = True
        assert finger.press("1") == [Act(c.GiveConsent(1, True))]


@given(
    st.lists(st.one_of(st.sampled_from("0123456789*#A"), st.floats(0, 70), st.just("heard"))),
    st.sampled_from(Role),
    st.integers(0, 3),
)
def test_any_keys(steps: list[str | float], role: Role, lobby: int) -> None:
    """Only a host does what hosts do, and a menu left alone closes."""
    finger = Finger(
        *[person(2 + each, ParticipantState.LOBBY) for each in range(lobby)], person(9, hand=True), role=role
    )
    done: list[Output] = []
    for step in steps:
        if isinstance(step, float):
            done += finger.waits(step)
        else:
            done += finger.hears() if step == "heard" else finger.press(step)
    for each in done:
        if isinstance(each, Act) and role is Role.GUEST:
            assert getattr(each.command, "participant", None) == 1
    for _ in range(4):
        finger.waits(LONGEST_WORDS + MENU_SECONDS)
    assert not finger.menu.open
    assert finger.menu.deadline is None
