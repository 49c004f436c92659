"""The way in by telephone: room number, PIN, name; then the door of the room. Does no I/O.

Keys may be typed ahead, through whatever is said: ``#`` ends a number, four seconds without a key do so too, and a PIN
that cannot be the beginning of another is taken at once. ``*`` takes back what was typed, and with nothing typed goes
back to the room number. Whoever hangs up needs no last word.

After each call carry out what ``take_outputs`` returns, in its order, and call ``handle_timer`` at ``deadline``.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import Enum, StrEnum
from hmac import compare_digest

from conference.definition import MOST_DIGITS, PIN_LENGTHS
from conference.refusals import Reason
from conference.role import Role

TRIES = 3
"""Wrong PINs in a call, whichever the rooms; and room numbers that are none."""
BETWEEN_KEYS = 4.0
"""Seconds after which what was typed is all there is."""
PATIENCE = 8.0
"""Seconds without a key after which the question is asked again."""
ASKED = 3
"""How often a question is put to silence."""
LONGEST_WORDS = 60.0
"""Seconds after which what is said must have ended, though nothing told so."""
NAME_SECONDS = 5.0
MOST_KEYS = 64
"""Typed ahead; more is no number of ours."""


class EntryWords(StrEnum):
    """What is said on the way in. The prompt of each is ``<language>/conference-<value with hyphens>``."""

    WELCOME = "welcome"
    ENTER_ROOM = "enter_room"
    ROOM_UNKNOWN = "room_unknown"
    ENTER_PIN = "enter_pin"
    ENTER_HOST_PIN = "enter_host_pin"
    """Or # alone, for guests, who need none."""
    WRONG_PIN = "wrong_pin"
    TOO_MANY_TRIES = "too_many_tries"
    SAY_NAME = "say_name"
    NOT_OPEN = "not_open"
    GOODBYE = "goodbye"


CAUSES: dict[Reason, int] = {
    Reason.FULL: 486,
    Reason.USER_FULL: 486,
    Reason.DOMAIN_FULL: 503,
    Reason.SERVER_FULL: 503,
    Reason.ANONYMOUS: 433,
    Reason.ENDED: 480,
    Reason.UNKNOWN_ROOM: 404,
}
"""The SIP status a refusal at the door ends the call with (RFC 3326; 433: RFC 5079); else 403."""
FORBIDDEN, NOT_FOUND, TIMED_OUT, NOT_YET = 403, 404, 408, 480


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryRoom:
    """What the way in has to know of a room. is_host: the caller's line is its owner's; open: it is its time."""

    number: str
    host_pin: str | None = None
    guest_pin: str | None = None
    is_host: bool = False
    asks_name: bool = False
    open: bool = True

    def __repr__(self) -> str:
        return f"EntryRoom({self.number})"  # PINs are in no log


@dataclass(frozen=True, slots=True)
class Tell:
    """Say this, and ``Entry.spoken`` when it was heard; keys interrupt it."""

    words: tuple[EntryWords | Reason, ...]


@dataclass(frozen=True, slots=True)
class Quiet:
    """Say nothing more: a key was pressed."""


@dataclass(frozen=True, slots=True)
class FindRoom:
    """Look this number up; the answer is ``Entry.found``."""

    number: str


@dataclass(frozen=True, slots=True)
class RecordName:
    """Record what is said, after a tone; ``Entry.named`` when that is done."""


@dataclass(frozen=True, slots=True)
class StopName:
    """The name is said."""


@dataclass(frozen=True, slots=True)
class Join:
    """Bring the caller to the door; ``Entry.refused`` when it is not let in, else it is over here."""

    number: str
    role: Role
    has_name: bool


@dataclass(frozen=True, slots=True)
class Count:
    """Count this once."""

    label: str


@dataclass(frozen=True, slots=True)
class HangUp:
    """End the call, for this SIP status."""

    status: int


Output = Tell | Quiet | FindRoom | RecordName | StopName | Join | Count | HangUp


class _State(Enum):
    NEW = 0
    ROOM = 1
    FINDING = 2
    PIN = 3
    SAYING_NAME = 4  # the question is asked
    NAMING = 5
    JOINING = 6
    LEAVING = 7  # the last words are said
    OVER = 8


_KEYS = frozenset("0123456789*#")
_ASKING = (_State.ROOM, _State.PIN)


class Entry:
    """One caller on its way. number: of the room it dialled, None at the access number."""

    def __init__(self, number: str | None) -> None:
        self._number = number
        self._state = _State.NEW
        self._room: EntryRoom | None = None
        self._role = Role.GUEST
        self._typed = ""
        self._ahead: deque[str] = deque()
        self._wrong_pins = self._wrong_rooms = self._silences = 0
        self._speaking = False
        self._status = TIMED_OUT
        self._outputs: list[Output] = []
        self.deadline: float | None = None
        """When ``handle_timer`` is due."""

    @property
    def over(self) -> bool:
        """In the room, or on its way out: keys and words are no longer for this."""
        return self._state in (_State.JOINING, _State.OVER)

    def take_outputs(self) -> list[Output]:
        """What is to be done now."""
        outputs, self._outputs = self._outputs, []
        return outputs

    # ---- what happens

    def start(self, now: float) -> None:
        """The caller hears us."""
        if self._number is None:
            self._ask(_State.ROOM, now, EntryWords.WELCOME)
        else:
            self._find(self._number)

    def digit(self, key: str, now: float) -> None:
        """A key was pressed."""
        if self._state in (_State.LEAVING, _State.OVER, _State.NEW) or key not in _KEYS:
            return
        self._silences = 0
        if self._state is _State.NAMING:
            if key == "#":
                self._name_said()
            return
        if self._state is _State.SAYING_NAME:
            if key == "#":
                self._hush()
                self._record(now)
            return
        if len(self._ahead) < MOST_KEYS:
            self._ahead.append(key)
        self._use_keys(now)

    def found(self, room: EntryRoom | None, now: float) -> None:
        """The answer to ``FindRoom``."""
        if self._state is not _State.FINDING:
            return
        if room is None:
            self._unknown_room(now)
        elif not room.open:
            self._outputs.append(Count("conference_not_open"))
            self._say_last(NOT_YET, now, EntryWords.NOT_OPEN)
        else:
            self._room = room
            self._ask_pin(room, now)

    def spoken(self, now: float) -> None:
        """What was to be said last is said."""
        if not self._speaking:
            return
        self._speaking = False
        if self._state is _State.LEAVING:
            self._hang_up()
        elif self._state is _State.SAYING_NAME:
            self._record(now)
        elif self._state in _ASKING:
            self.deadline = now + (BETWEEN_KEYS if self._typed else PATIENCE)

    def named(self, recorded: bool) -> None:
        """The name is recorded, or there is none."""
        if self._state is _State.NAMING:
            self._join(has_name=recorded)

    def refused(self, reason: Reason, now: float) -> None:
        """The room does not let the caller in."""
        if self._state is _State.JOINING:
            self._outputs.append(Count(f"conference_refused_{reason.value}"))
            self._say_last(CAUSES.get(reason, FORBIDDEN), now, reason)

    def handle_timer(self, now: float) -> None:
        """Something is due."""
        if self.deadline is None or now < self.deadline:
            return
        self.deadline = None
        if self._state is _State.NAMING:
            self._name_said()
        elif self._speaking:
            self.spoken(now)
        elif self._state in _ASKING and self._typed:
            self._submit(now)
            self._use_keys(now)
        elif self._state in _ASKING:
            self._silent(now)

    # ---- asking

    def _ask(self, state: _State, now: float, *before: EntryWords) -> None:
        """Put a question; what was typed ahead answers it, and then nothing is said."""
        self._state, self._typed, self.deadline = state, "", None
        if self._ahead:
            self._use_keys(now)
            if self._state is not state or self._typed or self._speaking:
                return
        self._tell(now, *before, self._question())

    def _question(self) -> EntryWords:
        if self._state is _State.ROOM:
            return EntryWords.ENTER_ROOM
        guests_asked = self._room is not None and self._room.guest_pin is not None
        return EntryWords.ENTER_PIN if guests_asked else EntryWords.ENTER_HOST_PIN

    def _use_keys(self, now: float) -> None:
        while self._ahead and self._state in _ASKING:
            self._key(self._ahead.popleft(), now)

    def _key(self, key: str, now: float) -> None:
        self._hush()
        if key == "#":
            self._submit(now)
        elif key == "*":
            self._take_back(now)
        else:
            self._typed += key
            self.deadline = now + BETWEEN_KEYS
            if self._complete():
                self._submit(now)

    def _complete(self) -> bool:
        """Whether nothing more can follow."""
        if self._state is _State.ROOM or self._room is None:
            return len(self._typed) >= MOST_DIGITS
        pins = [pin for pin in (self._room.host_pin, self._room.guest_pin) if pin is not None]
        longer = any(pin.startswith(self._typed) and pin != self._typed for pin in pins)
        return (self._typed in pins and not longer) or len(self._typed) >= PIN_LENGTHS[-1]

    def _take_back(self, now: float) -> None:
        if not self._typed and self._state is _State.PIN and self._number is None:
            self._ask(_State.ROOM, now)
        else:
            self._ask(self._state, now)

    def _submit(self, now: float) -> None:
        typed, self._typed, self.deadline = self._typed, "", None
        if self._state is _State.PIN:
            self._check_pin(typed, now)
        elif typed:
            self._find(typed)
        else:
            self._tell(now, self._question())

    def _silent(self, now: float) -> None:
        self._silences += 1
        if self._state is _State.PIN and self._room is not None and self._room.guest_pin is None:
            self._pass(Role.GUEST, now)  # who knows no host PIN has nothing to type
        elif self._silences < ASKED:
            self._tell(now, self._question())
        else:
            self._outputs.append(Count("conference_entry_timeout"))
            self._say_last(TIMED_OUT, now, EntryWords.GOODBYE)

    # ---- room, PIN, name

    def _find(self, number: str) -> None:
        self._state, self.deadline = _State.FINDING, None
        self._outputs.append(FindRoom(number))

    def _unknown_room(self, now: float) -> None:
        self._wrong_rooms += 1
        self._outputs.append(Count("conference_unknown_room"))
        if self._number is not None or self._wrong_rooms >= TRIES:
            self._say_last(NOT_FOUND, now, EntryWords.ROOM_UNKNOWN, EntryWords.GOODBYE)
        else:
            self._ahead.clear()  # it was meant for another room
            self._ask(_State.ROOM, now, EntryWords.ROOM_UNKNOWN)

    def _ask_pin(self, room: EntryRoom, now: float) -> None:
        if room.is_host:
            self._pass(Role.HOST, now)
        elif room.host_pin is None and room.guest_pin is None:
            self._pass(Role.GUEST, now)
        else:
            self._ask(_State.PIN, now)

    def _check_pin(self, pin: str, now: float) -> None:
        assert self._room is not None
        if _same(pin, self._room.host_pin):
            self._pass(Role.HOST, now)
        elif _same(pin, self._room.guest_pin) or (self._room.guest_pin is None and not pin):
            self._pass(Role.GUEST, now)
        elif not pin:
            self._tell(now, self._question())
        else:
            self._wrong_pin(now)

    def _wrong_pin(self, now: float) -> None:
        self._wrong_pins += 1
        self._ahead.clear()
        self._outputs.append(Count("conference_wrong_pin"))
        if self._wrong_pins >= TRIES:
            self._outputs.append(Count("conference_pin_refused"))
            self._say_last(FORBIDDEN, now, EntryWords.WRONG_PIN, EntryWords.TOO_MANY_TRIES)
        else:
            self._ask(_State.PIN, now, EntryWords.WRONG_PIN)

    def _pass(self, role: Role, now: float) -> None:
        assert self._room is not None
        self._role, self.deadline = role, None
        if self._room.asks_name:
            self._ahead.clear()
            self._state = _State.SAYING_NAME
            self._tell(now, EntryWords.SAY_NAME)
        else:
            self._join(has_name=False)

    def _record(self, now: float) -> None:
        self._state, self.deadline = _State.NAMING, now + NAME_SECONDS
        self._outputs.append(RecordName())

    def _name_said(self) -> None:
        self.deadline = None
        self._outputs.append(StopName())

    def _join(self, *, has_name: bool) -> None:
        assert self._room is not None
        self._state, self.deadline = _State.JOINING, None
        self._outputs.append(Join(self._room.number, self._role, has_name))

    # ---- speaking

    def _tell(self, now: float, *words: EntryWords | Reason) -> None:
        self._speaking, self.deadline = True, now + LONGEST_WORDS
        self._outputs.append(Tell(words))

    def _hush(self) -> None:
        if self._speaking:
            self._speaking = False
            self.deadline = None
            self._outputs.append(Quiet())

    def _say_last(self, status: int, now: float, *words: EntryWords | Reason) -> None:
        self._state, self._status = _State.LEAVING, status
        self._tell(now, *words)

    def _hang_up(self) -> None:
        self._state, self.deadline = _State.OVER, None
        self._outputs.append(HangUp(self._status))


def _same(typed: str, pin: str | None) -> bool:
    return pin is not None and compare_digest(typed.encode(), pin.encode())
