"""The way in by telephone: what is asked, what keys do, three tries, and that nothing a finger does ends it oddly."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from conference.entry import (
    ASKED,
    BETWEEN_KEYS,
    LONGEST_WORDS,
    NAME_SECONDS,
    PATIENCE,
    TRIES,
    Count,
    Entry,
    EntryRoom,
    EntryWords,
    FindRoom,
    HangUp,
    Join,
    Output,
    Quiet,
    RecordName,
    StopName,
    Tell,
)
from conference.refusals import Reason
from conference.role import Role

OPEN = EntryRoom(number="9001")
CLOSED = EntryRoom(number="9010", host_pin="123456", guest_pin="654321")
HOSTED = EntryRoom(number="9011", host_pin="123456")
NAMED = EntryRoom(number="9012", guest_pin="4444", asks_name=True)
LATER = EntryRoom(number="9013", open=False)
ROOMS = {each.number: each for each in (OPEN, CLOSED, HOSTED, NAMED, LATER)}


class Caller:
    """Somebody at the telephone; rooms are found, and words are over, as soon as they are asked for."""

    def __init__(self, number: str | None = None, *, is_host: bool = False) -> None:
        self.entry = Entry(number)
        self.is_host = is_host
        self.now = 100.0
        self.done: list[Output] = []
        self.entry.start(self.now)
        self.take()

    def take(self) -> None:
        for output in self.entry.take_outputs():
            self.done.append(output)
            if isinstance(output, FindRoom):
                room = ROOMS.get(output.number)
                if room is not None and self.is_host:
                    room = EntryRoom(number=room.number, host_pin=room.host_pin, is_host=True)
                self.entry.found(room, self.now)
                self.take()

    def press(self, keys: str) -> None:
        for key in keys:
            self.entry.digit(key, self.now)
            self.take()

    def hears(self) -> None:
        """Everything to its end."""
        self.entry.spoken(self.now)
        self.take()

    def waits(self, seconds: float) -> None:
        end = self.now + seconds
        while self.entry.deadline is not None and self.entry.deadline <= end:
            self.now = max(self.now, self.entry.deadline)
            self.entry.handle_timer(self.now)
            self.take()
        self.now = end

    @property
    def words(self) -> list[object]:
        return [words for each in self.done if isinstance(each, Tell) for words in each.words]

    @property
    def joined(self) -> Join | None:
        return next((each for each in self.done if isinstance(each, Join)), None)

    @property
    def hung_up(self) -> list[int]:
        return [each.status for each in self.done if isinstance(each, HangUp)]

    def counted(self, label: str) -> int:
        return self.done.count(Count(label))


class TestRoom:
    def test_an_open_room_of_its_own_number(self) -> None:
        """Nothing is asked."""
        assert Caller("9001").done == [FindRoom("9001"), Join("9001", Role.GUEST, False)]

    def test_by_the_access_number(self) -> None:
        """The room's number, ended by the hash key or by waiting."""
        for ending in ("#", ""):
            caller = Caller()
            assert caller.words == [EntryWords.WELCOME, EntryWords.ENTER_ROOM]
            caller.press("9001" + ending)
            caller.waits(BETWEEN_KEYS)
            assert caller.joined == Join("9001", Role.GUEST, False)
            assert caller.done.count(Quiet()) == 1

    def test_a_number_too_long_is_taken_as_it_is(self) -> None:
        """No room has one; it is looked up and not there."""
        caller = Caller()
        caller.press("1" * 20)
        assert caller.words[-2:] == [EntryWords.ROOM_UNKNOWN, EntryWords.ENTER_ROOM]

    def test_unknown_rooms(self) -> None:
        """Said and asked again, three times; then 404. Who dialled it directly is told at once."""
        caller = Caller()
        for _ in range(TRIES):
            caller.press("777#")
        caller.hears()
        assert caller.words[-2:] == [EntryWords.ROOM_UNKNOWN, EntryWords.GOODBYE]
        assert (caller.hung_up, caller.counted("conference_unknown_room")) == ([404], TRIES)
        direct = Caller("9999")
        direct.hears()
        assert direct.hung_up == [404]

    def test_not_yet_open(self) -> None:
        """Said, then 480."""
        caller = Caller("9013")
        caller.hears()
        assert (caller.words, caller.hung_up) == ([EntryWords.NOT_OPEN], [480])


class TestPin:
    def test_host_and_guest(self) -> None:
        """Each by its PIN, which needs no hash key."""
        for pin, role in (("123456", Role.HOST), ("654321", Role.GUEST)):
            caller = Caller("9010")
            assert caller.words == [EntryWords.ENTER_PIN]
            caller.press(pin)
            assert caller.joined == Join("9010", role, False)

    def test_three_wrong_ones(self) -> None:
        """Each said; after the third the call ends with 403, and both are counted."""
        caller = Caller("9010")
        for number in range(TRIES):
            assert caller.hung_up == []
            caller.press(f"11111{number}#")
        assert caller.words[-2:] == [EntryWords.WRONG_PIN, EntryWords.TOO_MANY_TRIES]
        caller.press("123456#")
        caller.hears()
        assert caller.joined is None
        assert caller.hung_up == [403]
        assert (caller.counted("conference_wrong_pin"), caller.counted("conference_pin_refused")) == (
            TRIES,
            1,
        )

    def test_other_rooms_give_no_more_tries(self) -> None:
        """Back to the room number by star: the wrong PINs of a call are counted together."""
        caller = Caller()
        caller.press("9010#1111#*9012#2222#*9010#3333#")
        caller.hears()
        assert caller.hung_up == [403]

    def test_all_typed_ahead(self) -> None:
        """Room and PIN through the welcome: no question is heard."""
        caller = Caller()
        caller.press("9010#654321#")
        assert caller.joined == Join("9010", Role.GUEST, False)
        assert caller.words == [EntryWords.WELCOME, EntryWords.ENTER_ROOM, EntryWords.ENTER_PIN]

    def test_typed_ahead_while_the_room_is_looked_up(self) -> None:
        """Keys wait for the answer."""
        entry = Entry("9010")
        entry.start(0.0)
        for key in "654321":
            entry.digit(key, 0.0)
        assert entry.take_outputs() == [FindRoom("9010")]
        entry.found(CLOSED, 0.5)
        assert entry.take_outputs() == [Join("9010", Role.GUEST, False)]

    def test_a_wrong_pin_is_not_answered_by_what_was_typed_after_it(self) -> None:
        """Else a finger that goes on costs all three tries."""
        entry = Entry("9010")
        entry.start(0.0)
        for key in "1111#2222#3333#":
            entry.digit(key, 0.0)
        entry.take_outputs()
        entry.found(CLOSED, 0.5)
        assert entry.take_outputs() == [
            Count("conference_wrong_pin"),
            Tell((EntryWords.WRONG_PIN, EntryWords.ENTER_PIN)),
        ]

    def test_star_takes_back(self) -> None:
        """What was typed is forgotten; again, with nothing typed, back to the room number."""
        caller = Caller()
        caller.press("9010#12345*654321")
        assert caller.joined == Join("9010", Role.GUEST, False)
        other = Caller()
        other.press("9010#*")
        assert other.words[-1] == EntryWords.ENTER_ROOM
        other.press("9001#")
        assert other.joined == Join("9001", Role.GUEST, False)
        direct = Caller("9010")
        direct.press("*")
        assert direct.words == [EntryWords.ENTER_PIN] * 2

    def test_a_room_for_whose_hosts_alone_there_is_a_pin(self) -> None:
        """Guests press the hash key, or nothing; the host its PIN; a wrong one is wrong."""
        for keys in ("#", ""):
            caller = Caller("9011")
            assert caller.words == [EntryWords.ENTER_HOST_PIN]
            caller.press(keys)
            caller.hears()
            caller.waits(PATIENCE)
            assert caller.joined == Join("9011", Role.GUEST, False)
        host = Caller("9011")
        host.press("9999#123456")
        assert host.joined == Join("9011", Role.HOST, False)
        assert host.counted("conference_wrong_pin") == 1

    def test_the_owner_needs_none(self) -> None:
        """Its line is known."""
        assert Caller("9010", is_host=True).joined == Join("9010", Role.HOST, False)

    def test_a_pin_that_begins_another(self) -> None:
        """Is not taken before the hash key."""
        entry = Entry("1")
        entry.start(0.0)
        entry.found(EntryRoom(number="1", host_pin="12345", guest_pin="1234"), 0.0)
        for key in "1234":
            entry.digit(key, 0.0)
        assert not any(isinstance(each, Join) for each in entry.take_outputs())
        entry.digit("5", 0.0)
        assert entry.take_outputs()[-1] == Join("1", Role.HOST, False)

    def test_pins_are_in_no_text(self) -> None:
        """Of what might be logged."""
        assert "123456" not in repr(CLOSED)


class TestSilence:
    def test_asked_three_times(self) -> None:
        """Then 408."""
        caller = Caller("9010")
        for _ in range(ASKED):
            caller.hears()
            caller.waits(PATIENCE)
        caller.hears()
        assert caller.words == [EntryWords.ENTER_PIN] * ASKED + [EntryWords.GOODBYE]
        assert (caller.hung_up, caller.counted("conference_entry_timeout")) == ([408], 1)

    def test_words_whose_end_nobody_tells(self) -> None:
        """Do not hold the line for ever."""
        caller = Caller("9010")
        caller.waits(ASKED * (LONGEST_WORDS + PATIENCE) + LONGEST_WORDS)
        assert caller.hung_up == [408]

    def test_the_hash_key_alone(self) -> None:
        """Asks again."""
        caller = Caller()
        caller.press("#")
        assert caller.words[-1] == EntryWords.ENTER_ROOM
        pin = Caller("9010")
        pin.press("#")
        assert pin.words == [EntryWords.ENTER_PIN] * 2


class TestName:
    def test_said_and_ended_by_a_key(self) -> None:
        """Or by time; then the room. Without a name it is the room as well."""
        for by_key in (True, False):
            caller = Caller("9012")
            caller.press("4444")
            assert caller.words[-1] == EntryWords.SAY_NAME
            caller.hears()
            assert caller.done[-1] == RecordName()
            caller.press("5")
            if by_key:
                caller.press("#")
            else:
                caller.waits(NAME_SECONDS)
            assert caller.done[-1] == StopName()
            caller.entry.named(by_key)
            caller.take()
            assert caller.joined == Join("9012", Role.GUEST, by_key)

    def test_the_question_is_cut_short(self) -> None:
        """By the hash key."""
        caller = Caller("9012")
        caller.press("4444#")
        assert caller.done[-2:] == [Quiet(), RecordName()]


class TestRefused:
    def test_spoken_with_a_cause(self) -> None:
        """Full, locked, ...: the reason is said, then the call ends."""
        for reason, status in ((Reason.FULL, 486), (Reason.LOCKED, 403), (Reason.SERVER_FULL, 503)):
            caller = Caller("9001")
            caller.entry.refused(reason, caller.now)
            caller.take()
            caller.hears()
            assert caller.words == [reason]
            assert caller.hung_up == [status]
            assert caller.counted(f"conference_refused_{reason.value}") == 1


class TestAnything:
    """Whatever happens in whatever order, it ends once and never holds the line."""

    steps = st.lists(
        st.one_of(
            st.sampled_from("0123456789*#A"),
            st.sampled_from(["9010#", "654321", "spoken", "named", "found", "lost", "refused"]),
            st.floats(0, 30),
        ),
        max_size=40,
    )

    @given(steps, st.sampled_from([None, "9001", "9010", "9011", "9012", "9013", "1"]))
    def test_it_ends(self, steps: list[str | float], number: str | None) -> None:
        """At most one end, at most one join at a time, wrong PINs never more than three."""
        caller = Caller(number)
        for step in steps:
            if isinstance(step, float):
                caller.waits(step)
            elif step == "spoken":
                caller.hears()
            elif step == "named":
                caller.entry.named(True)
            elif step in ("found", "lost"):
                caller.entry.found(CLOSED if step == "found" else None, caller.now)
            elif step == "refused":
                caller.entry.refused(Reason.FULL, caller.now)
            else:
                caller.press(step)
            caller.take()
        while not caller.entry.over:
            before = len(caller.done)
            caller.waits(LONGEST_WORDS + PATIENCE + 1)
            caller.entry.named(False)
            caller.take()
            assert len(caller.done) > before
        assert len(caller.hung_up) + (caller.joined is not None) >= 1
        assert len(caller.hung_up) <= 1
        assert caller.counted("conference_wrong_pin") <= TRIES
