"""The keys of those who are in a room: one table for the menus, and the machine that follows a finger. Does no I/O.

``*`` opens the menu of everybody, ``#`` that of hosts; the next key is a choice of it. Said is only what a choice asks
for, and the menu itself after ``0``, or when two seconds pass without a key. Lists (who waits, who asks to speak, who
is there) are gone through one by one, with the names people recorded.

After each call carry out what ``take_outputs`` returns, in its order, and call ``handle_timer`` at ``deadline``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, StrEnum

from conference import commands as c
from conference.participant import Participant, ParticipantState
from conference.refusals import Reason
from conference.role import Role

HINT_SECONDS = 2.0
"""Who opens a menu and then does nothing wants to hear it."""
MENU_SECONDS = 10.0
"""An open menu, or list, closes when so long no key is pressed after what was said."""
LONGEST_WORDS = 60.0
VOLUME_STEP_DB, MOST_VOLUME_DB = 4.0, 12.0


class MenuWords(StrEnum):
    """What menus say. The prompt of each is ``<language>/conference-menu-<value with hyphens>``."""

    GUEST = "guest"
    """All of ``MENU`` under ``*``."""
    HOST = "host"
    """All of it under ``#``."""
    WAITING_CHOICE = "waiting_choice"
    """To admit press 1, ..."""
    HAND_CHOICE = "hand_choice"
    PEOPLE_CHOICE = "people_choice"
    NOBODY_WAITS = "nobody_waits"
    NO_HANDS = "no_hands"
    NOBODY_ELSE = "nobody_else"
    END_OF_LIST = "end_of_list"
    SURE_TO_END = "sure_to_end"
    """Press 1 to end the meeting for all."""
    NOT_POSSIBLE = "not_possible"
    """A key that means nothing here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """The room as somebody in it is to see it. consent_asked: it is to say, or has denied, that it may be recorded."""

    me: Participant
    people: tuple[Participant, ...] = ()
    locked: bool = False
    guests_muted: bool = False
    recording: bool = False
    recording_paused: bool = False
    consent_asked: bool = False

    @property
    def waiting(self) -> list[Participant]:
        """Who is in the lobby, in the order they came."""
        return [each for each in self.people if each.state is ParticipantState.LOBBY]

    @property
    def hands(self) -> list[Participant]:
        """Who asks to speak."""
        return [each for each in self.people if each.hand and each.id != self.me.id]

    @property
    def others(self) -> list[Participant]:
        """Who else is in."""
        return [each for each in self.people if each.takes_part and each.id != self.me.id]


@dataclass(frozen=True, slots=True)
class Named:
    """Say who it is: the name it recorded, or its number."""

    participant: int


@dataclass(frozen=True, slots=True)
class Tell:
    """Say this to the caller alone, and ``Menu.spoken`` when it was heard."""

    what: tuple[MenuWords | Reason | Named, ...]


@dataclass(frozen=True, slots=True)
class Quiet:
    """Say nothing more of the menu: a key was pressed."""


@dataclass(frozen=True, slots=True)
class Act:
    """Do this in the room, in the caller's name; ``Menu.refused`` when it may not."""

    command: c.Command


Output = Tell | Quiet | Act


class _List(Enum):
    """Lists that are gone through one by one."""

    WAITING = 1
    HANDS = 2
    PEOPLE = 3


Choice = c.Command | _List | MenuWords
"""What a key leads to: a verb, a list, or something said (``SURE_TO_END``: the next key decides)."""


@dataclass(frozen=True, slots=True)
class Item:
    """A row of the table. what: as the documentation says it."""

    keys: str
    what: str
    choose: Callable[[View], Choice]


def _mute(view: View) -> Choice:
    me = view.me
    return c.Unmute(me.id) if me.muted or me.muted_by_host else c.Mute(me.id)


def _hand(view: View) -> Choice:
    return c.LowerHand(view.me.id) if view.me.hand else c.RaiseHand(view.me.id)


def _volume(step: float) -> Callable[[View], Choice]:
    return lambda view: c.SetVolume(view.me.id, _within(view.me.volume_db + step))


def _gain(step: float) -> Callable[[View], Choice]:
    return lambda view: c.SetGain(view.me.id, _within(view.me.gain_db + step))


def _within(level_db: float) -> float:
    return max(-MOST_VOLUME_DB, min(MOST_VOLUME_DB, level_db))


def _mute_all(view: View) -> Choice:
    return c.UnmuteAll() if view.guests_muted else c.MuteAll()


def _lock(view: View) -> Choice:
    return c.Unlock() if view.locked else c.Lock()


def _record(view: View) -> Choice:
    return c.StopRecording() if view.recording else c.StartRecording()


def _pause(view: View) -> Choice:
    return c.ResumeRecording() if view.recording_paused else c.PauseRecording()


MENU: tuple[Item, ...] = (
    Item("*1", "mute yourself, or unmute", _mute),
    Item("*2", "raise your hand, or lower it", _hand),
    Item("*3", "hear how many are in the room", lambda view: c.AnnounceCount(view.me.id)),
    Item("*4", "hear the room softer", _volume(-VOLUME_STEP_DB)),
    Item("*6", "hear the room louder", _volume(VOLUME_STEP_DB)),
    Item("*7", "be heard softer", _gain(-VOLUME_STEP_DB)),
    Item("*9", "be heard louder", _gain(VOLUME_STEP_DB)),
    Item("*8", "come back from a side talk", lambda view: c.StepBack(view.me.id)),
    Item("*0", "hear this menu", lambda _: MenuWords.GUEST),
    Item("#1", "mute all guests, or unmute them", _mute_all),
    Item("#2", "go through those who wait in the lobby", lambda _: _List.WAITING),
    Item("#3", "go through those who ask to speak", lambda _: _List.HANDS),
    Item("#4", "lock the room, or unlock it", _lock),
    Item("#5", "record, or stop recording", _record),
    Item("#6", "pause the recording, or go on", _pause),
    Item("#7", "go through all who are in the room", lambda _: _List.PEOPLE),
    Item("#9", "end the meeting for all, after 1", lambda _: MenuWords.SURE_TO_END),
    Item("#0", "hear this menu", lambda _: MenuWords.HOST),
)
"""Every key sequence; ``#`` is for hosts."""


class _Then(Enum):
    """How a list goes on after a key."""

    NEXT = 1
    STAY = 2
    CLOSE = 3


@dataclass(frozen=True, slots=True)
class WalkItem:
    """A row of the tables of lists: what a key does to the one who was named, and what comes then."""

    key: str
    what: str
    command: Callable[[Participant], tuple[c.Command, ...]]
    then: _Then = _Then.NEXT


WAITING: tuple[WalkItem, ...] = (
    WalkItem("1", "admit", lambda one: (c.Admit(one.id),)),
    WalkItem("2", "turn away", lambda one: (c.Deny(one.id),)),
    WalkItem("3", "next", lambda _: ()),
    WalkItem("9", "admit everybody who waits", lambda _: (c.Admit(),), _Then.CLOSE),
)
HANDS: tuple[WalkItem, ...] = (
    WalkItem(
        "1", "give the floor: unmute, and lower the hand", lambda one: (*_unmuted(one), c.LowerHand(one.id))
    ),
    WalkItem("2", "lower the hand", lambda one: (c.LowerHand(one.id),)),
    WalkItem("3", "next", lambda _: ()),
)
PEOPLE: tuple[WalkItem, ...] = (
    WalkItem("1", "mute, or unmute", lambda one: _unmuted(one) or (c.Mute(one.id),), _Then.STAY),
    WalkItem("2", "expel", lambda one: (c.Expel(one.id),)),
    WalkItem("3", "next", lambda _: ()),
    WalkItem("4", "make a host, or a guest", lambda one: (c.SetRole(one.id, _other(one.role)),), _Then.STAY),
)


def _unmuted(one: Participant) -> tuple[c.Command, ...]:
    return (c.Unmute(one.id),) if one.muted_by_host else ()


def _other(role: Role) -> Role:
    return Role.GUEST if role is Role.HOST else Role.HOST


_TABLES: dict[_List, tuple[WalkItem, ...]] = {
    _List.WAITING: WAITING,
    _List.HANDS: HANDS,
    _List.PEOPLE: PEOPLE,
}
_CHOICES = {
    _List.WAITING: MenuWords.WAITING_CHOICE,
    _List.HANDS: MenuWords.HAND_CHOICE,
    _List.PEOPLE: MenuWords.PEOPLE_CHOICE,
}
_EMPTY = {
    _List.WAITING: MenuWords.NOBODY_WAITS,
    _List.HANDS: MenuWords.NO_HANDS,
    _List.PEOPLE: MenuWords.NOBODY_ELSE,
}
_ITEMS = {item.keys: item for item in MENU}


@dataclass(slots=True)
class _Walk:
    """A list that is gone through. passed: who was named already."""

    over: _List
    at: int
    passed: set[int]
    explained: bool = False


class Menu:
    """The keys of one participant. ``view`` shows the room as it is now."""

    def __init__(self, view: Callable[[], View]) -> None:
        self._view = view
        self._prefix = ""
        self._walk: _Walk | None = None
        self._sure = self._hinted = False
        self._answered = False  # the question of consent
        self._speaking = False
        self._outputs: list[Output] = []
        self.deadline: float | None = None
        """When ``handle_timer`` is due."""

    @property
    def open(self) -> bool:
        """Whether the next key is a choice."""
        return bool(self._prefix) or self._walk is not None or self._sure

    def take_outputs(self) -> list[Output]:
        """What is to be done now."""
        outputs, self._outputs = self._outputs, []
        return outputs

    # ---- what happens

    def digit(self, key: str, now: float) -> None:
        """A key was pressed."""
        view = self._view()
        self._hush()
        self._answered &= view.consent_asked
        if view.consent_asked and not self._answered:
            if key in ("1", "2"):
                self._answered = True
                self._act(c.GiveConsent(view.me.id, key == "1"))
        elif self._sure:
            self._close()
            if key == "1":
                self._act(c.End())
        elif self._walk is not None:
            self._step(self._walk, key, view, now)
        elif self._prefix:
            self._choose(self._prefix + key, view, now)
        elif key == "*" or (key == "#" and view.me.role is Role.HOST):
            self._prefix, self.deadline = key, now + HINT_SECONDS

    def spoken(self, now: float) -> None:
        """What the menu said last is said."""
        if self._speaking:
            self._speaking = False
            self.deadline = now + MENU_SECONDS if self.open else None

    def refused(self, reason: Reason, now: float) -> None:
        """What was chosen may not be."""
        self._say(now, reason)

    def handle_timer(self, now: float) -> None:
        """Something is due."""
        if self.deadline is None or now < self.deadline:
            return
        self.deadline = None
        if self._speaking:
            self.spoken(now)
        elif self._prefix and self._walk is None and not self._sure and not self._hinted:
            self._hinted = True
            self._say(now, MenuWords.HOST if self._prefix == "#" else MenuWords.GUEST)
        else:
            self._close()

    # ---- choices

    def _choose(self, keys: str, view: View, now: float) -> None:
        if keys[1] == keys[0]:  # the key that opened it closes it, or is that of the other menu
            self._close()
            return
        item = _ITEMS.get(keys)
        if item is None:
            self._say(now, MenuWords.NOT_POSSIBLE)
            return
        choice = item.choose(view)
        if isinstance(choice, _List):
            self._close()
            self._begin_walk(choice, view, now)
        elif choice is MenuWords.SURE_TO_END:
            self._close()
            self._sure = True
            self._say(now, choice)
        elif isinstance(choice, MenuWords):
            self._hinted = True
            self._say(now, choice)
        else:
            self._close()
            self._act(choice)

    def _act(self, command: c.Command) -> None:
        self._outputs.append(Act(command))

    def _close(self) -> None:
        self._prefix, self._walk, self._sure, self._hinted = "", None, False, False
        self.deadline = None

    # ---- lists

    def _begin_walk(self, over: _List, view: View, now: float) -> None:
        self._walk = _Walk(over, 0, set())
        self._name_next(self._walk, view, now)

    def _name_next(self, walk: _Walk, view: View, now: float) -> None:
        """Name the next who was not named yet; the list is as it is now."""
        after = next((each for each in _listed(walk.over, view) if each.id not in walk.passed), None)
        if after is None:
            self._close()
            self._say(now, MenuWords.END_OF_LIST if walk.passed else _EMPTY[walk.over])
            return
        walk.at = after.id
        walk.passed.add(after.id)
        choice = () if walk.explained else (_CHOICES[walk.over],)
        walk.explained = True
        self._say(now, Named(after.id), *choice)

    def _step(self, walk: _Walk, key: str, view: View, now: float) -> None:
        if key in ("*", "#"):
            self._close()
            return
        item = next((each for each in _TABLES[walk.over] if each.key == key), None)
        one = next((each for each in _listed(walk.over, view) if each.id == walk.at), None)
        if item is None:
            self._say(now, _CHOICES[walk.over])
            return
        if one is not None:  # else it has gone meanwhile
            for command in item.command(one):
                self._act(command)
        if item.then is _Then.CLOSE:
            self._close()
        elif item.then is _Then.STAY and one is not None:
            self.deadline = now + MENU_SECONDS
        else:
            self._name_next(walk, view, now)

    # ---- speaking

    def _say(self, now: float, *what: MenuWords | Reason | Named) -> None:
        self._speaking, self.deadline = True, now + LONGEST_WORDS
        self._outputs.append(Tell(what))

    def _hush(self) -> None:
        if self._speaking:
            self._speaking = False
            self._outputs.append(Quiet())


def _listed(over: _List, view: View) -> list[Participant]:
    if over is _List.WAITING:
        return view.waiting
    return view.hands if over is _List.HANDS else view.others
