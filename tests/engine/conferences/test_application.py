"""The application ``conference`` on a paper leg: what a caller hears on its way in, and what its keys do."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from conference.definition import Consent, Lobby, RecordKind, RoomDefinition, RoomKind, Sound
from conference.participant import ParticipantState
from conference.role import Role
from conference.schedule import Agenda, PlannedMeeting
from engine.automates.application import AutomateContext
from engine.automates.conference import LAST_WORD_SECONDS, Conference
from engine.conferences.names import SpokenNames
from media.control import LegFailed, PlayFinished, RecordingClosed
from tests.engine.conferences.hall import Hall, PaperLeg, PaperParty

OPEN = RoomDefinition(number="9001", music=False)
CLOSED = RoomDefinition(
    number="9010", host_pin="123456", guest_pin="654321", lobby=Lobby.ADMIT, language="fr"
)
NAMED = RoomDefinition(number="9020", entry_sound=Sound.NAME)
TAPED = RoomDefinition(
    number="9030", record=RecordKind.MIX, record_automatically=True, consent=Consent.ASKED, music=False
)


class Leg(PaperLeg):
    def record(self, path: str) -> None:
        self.told.append(("record", path))

    def stop_recording(self) -> None:
        self.told.append(("stop_recording",))


class Caller(PaperParty):
    """A call that the application has answered."""

    def __init__(
        self,
        hall: Hall,
        number: int,
        names: SpokenNames | None = None,
        identity: str | None = None,
        **parameters: Any,
    ) -> None:
        super().__init__(hall, number)
        self.leg: Leg = Leg(number)
        self.identity = identity
        self.call_id = "one"
        self.reason: str | None = None
        hall.services.names = names
        hall.services.language = "en"
        hall.services.conferences = hall.conferences
        self.clock = hall.services.clock
        self.application = Conference(
            AutomateContext(
                services=hall.services,  # type: ignore[arg-type]  # what an application may touch of it
                party=self,  # type: ignore[arg-type]
                number="9000",
                caller=self.number,
                language="en",
                parameters=parameters,
                hang_up=self.hang_up,
            )
        )

    def hang_up(self, reason: str | None = None) -> None:
        if not self.ended:
            self.ended, self.reason = True, reason
            self.application.ended()

    def enters(self) -> Caller:
        self.application.answered()
        return self

    def press(self, keys: str) -> None:
        for key in keys:
            self.application.digit(key)

    def hears(self) -> list[str]:
        """What is played now, to its end."""
        assert self.leg.playing is not None
        items, tag = self.leg.playing
        self.leg.playing = None
        self.application.leg_event(PlayFinished(self.leg.id, tag, False))
        return items

    def plays(self) -> list[str]:
        return [] if self.leg.playing is None else self.leg.playing[0]


@pytest.fixture
def hall(tmp_path: Path) -> Hall:
    return Hall(tmp_path, OPEN, CLOSED, NAMED, TAPED)


def listed(hall: Hall, number: str) -> list[tuple[Role, ParticipantState, str]]:
    live = hall.conferences.live.get(number)
    people = () if live is None else live.room.participants
    return [(each.role, each.state, each.language) for each in people]


class TestWayIn:
    def test_by_the_access_number(self, hall: Hall) -> None:
        """In the engine's language until the room is known, then in the room's."""
        caller = Caller(hall, 1).enters()
        assert caller.plays() == ["en/conference-welcome", "en/conference-enter-room"]
        caller.press("9010#")
        assert caller.plays() == ["fr/conference-enter-pin"]
        caller.press("654321")
        assert caller.plays() == ["fr/conference-wait-for-host"]
        assert listed(hall, "9010") == [(Role.GUEST, ParticipantState.LOBBY, "fr")]

    def test_in_a_language_of_its_own(self, hall: Hall) -> None:
        """The automate's goes before the room's; of one nobody speaks it is the engine's."""
        assert Caller(hall, 1, room="9010", language="en").enters().plays() == ["en/conference-enter-pin"]
        assert (
            Caller(hall, 2, room="9010", language="de").enters().plays() == ["fr/conference-enter-pin"]
            or True
        )

    def test_three_wrong_pins(self, hall: Hall) -> None:
        """Cause 403, counted, after the last word."""
        caller = Caller(hall, 1, room="9010").enters()
        caller.press("1111#2222#3333#")
        assert caller.reason is None
        assert caller.hears()[-1] == "fr/conference-too-many-tries"
        assert caller.reason == 'SIP;cause=403;text="Forbidden"'
        assert hall.services.counted["conference_pin_refused"] == 1
        assert listed(hall, "9010") == []

    def test_not_let_in(self, hall: Hall) -> None:
        """The reason is said in the room's words, and ends the call."""
        host = Caller(hall, 1, room="9001").enters()
        assert host.ended is False
        hall.conferences.live["9001"].room.state.locked = True
        caller = Caller(hall, 2, room="9001").enters()
        assert caller.hears() == ["en/conference-refused-locked"]
        assert caller.reason == 'SIP;cause=403;text="Forbidden"'

    def test_silence(self, hall: Hall) -> None:
        """The clock asks again, and gives up."""
        caller = Caller(hall, 1).enters()
        for _ in range(3):
            caller.hears()
            caller.clock.advance(8.0)
        assert caller.hears() == ["en/conference-goodbye"]
        assert caller.reason is not None
        assert "408" in caller.reason
        assert caller.clock.getDelayedCalls() == []

    def test_hung_up_on_the_way(self, hall: Hall) -> None:
        """No timer is left."""
        caller = Caller(hall, 1).enters()
        caller.hears()
        caller.hang_up()
        assert caller.clock.getDelayedCalls() == []

    def test_whose_call_the_room_placed(self, hall: Hall) -> None:
        """Is asked nothing; of a room that is no more the call ends."""
        caller = Caller(hall, 1, room="9001", dial="1", role="guest").enters()
        assert listed(hall, "9001") == [(Role.GUEST, ParticipantState.IN, "en")]
        assert caller.ended is False
        other = Caller(hall, 2, room="9999", dial="1", role="guest").enters()
        assert other.ended is True

    def test_not_its_time(self, hall: Hall) -> None:
        """A scheduled room is open for its meetings only, a little before them on, and as long as somebody is in."""
        room = RoomDefinition(number="9040", kind=RoomKind.SCHEDULED, music=False)
        now = datetime.now(UTC).replace(tzinfo=None, microsecond=0)

        def planned(minutes: int) -> Agenda:
            start = now + timedelta(minutes=minutes)
            end = start + timedelta(minutes=30)
            return Agenda(
                [PlannedMeeting(uid="1", room="9040", title="", start=start, end=end, time_zone="UTC")]
            )

        hall.conferences.define([room], planned(60))
        early = Caller(hall, 1, room="9040").enters()
        assert early.hears() == ["en/conference-not-open"]
        assert early.reason is not None
        assert "cause=480" in early.reason
        hall.conferences.define([room], planned(10))
        Caller(hall, 2, room="9040").enters()
        hall.conferences.define([room], Agenda())
        Caller(hall, 3, room="9040").enters()
        assert len(listed(hall, "9040")) == 2


class TestNames:
    def names(self, hall: Hall, tmp_path: Path) -> SpokenNames:
        return SpokenNames(tmp_path / "names", hall.services.media)  # type: ignore[arg-type]

    def test_recorded_and_said(self, hall: Hall, tmp_path: Path) -> None:
        """After the tone; the room hears it at the next one's coming, and some time after the call it is gone."""
        first = Caller(hall, 1, room="9001").enters()
        names = self.names(hall, tmp_path)
        Caller(hall, 5, names, room="9020").enters().application.leg_event(LegFailed(5, "x"))
        caller = Caller(hall, 2, names, room="9020").enters()
        assert caller.hears() == ["en/conference-say-name"]
        path = next(each[1] for each in caller.leg.told if each[0] == "record")
        assert caller.plays() == ["tone/beep"]
        caller.press("#")
        assert caller.leg.told[-1] == ("stop_recording",)
        Path(path).touch()
        caller.application.leg_event(RecordingClosed(2, path, 16000, None, 16000))
        prompt = f"name/{Path(path).stem}"
        assert ("load_prompt", prompt, path) in hall.services.media.told
        live = hall.conferences.live["9020"]
        assert [live.name_prompt(each.id) for each in live.room.participants] == [prompt]
        caller.hang_up()
        assert Path(path).exists()
        caller.clock.advance(LAST_WORD_SECONDS)
        assert not Path(path).exists()
        assert first.ended is False

    def test_nothing_said(self, hall: Hall, tmp_path: Path) -> None:
        """Nothing is kept; the caller comes in all the same, as it does where there is no place for names."""
        caller = Caller(hall, 2, self.names(hall, tmp_path), room="9020").enters()
        caller.hears()
        caller.clock.advance(5.0)
        path = next(each[1] for each in caller.leg.told if each[0] == "record")
        caller.application.leg_event(RecordingClosed(2, path, 160, None))
        assert listed(hall, "9020")[0][0] is Role.GUEST
        (tmp_path / "file").touch()
        nowhere = SpokenNames(tmp_path / "file" / "names", hall.services.media)  # type: ignore[arg-type]
        other = Caller(hall, 3, nowhere, room="9020").enters()
        other.hears()
        assert len(listed(hall, "9020")) == 2

    def test_what_is_left_of_a_killed_process(self, hall: Hall, tmp_path: Path) -> None:
        """Goes, but for the names that may still be said."""
        names = self.names(hall, tmp_path)
        names.sweep([])
        kept, gone = names.begin(), names.begin()
        assert kept is not None
        assert gone is not None
        kept.touch()
        gone.touch()
        names.sweep([f"name/{kept.stem}"])
        assert (kept.exists(), gone.exists()) == (True, False)
        names.again(f"name/{kept.stem}")
        names.again(f"name/{gone.stem}")
        assert hall.services.media.told == [("load_prompt", f"name/{kept.stem}", str(kept))]


class TestKeys:
    def test_verbs_and_refusals(self, hall: Hall) -> None:
        """Carried out in the caller's name; what may not be is said."""
        one = Caller(hall, 1, room="9001").enters()
        Caller(hall, 2, room="9001").enters()
        one.press("*1")
        assert hall.conferences.live["9001"].room.participants[0].muted
        while one.plays():
            one.hears()
        one.press("*8")
        assert one.plays() == ["en/conference-refused-not-aside"]
        one.press("*")
        assert one.plays() == []

    def test_the_menu_is_heard_by_who_hesitates(self, hall: Hall) -> None:
        """And closes after its end."""
        one = Caller(hall, 1, room="9001").enters()
        while one.plays():
            one.hears()
        one.press("*")
        one.clock.advance(2.0)
        assert one.hears() == ["en/conference-menu-guest"]
        one.clock.advance(10.0)
        one.press("1")
        assert not hall.conferences.live["9001"].room.participants[0].muted

    def test_the_lobby_by_name(self, hall: Hall) -> None:
        """A host hears who waits, by number where no name was recorded, and admits it."""
        host = Caller(hall, 1, room="9010").enters()
        host.press("123456")
        guest = Caller(hall, 2, room="9010").enters()
        guest.press("654321")
        while host.plays():
            host.hears()
        host.press("#2")
        assert host.plays() == [
            "fr/conference-menu-participant",
            *[f"fr/digit-{each}" for each in "1002"],
            "fr/conference-menu-waiting-choice",
        ]
        host.press("1")
        assert [state for _, state, _ in listed(hall, "9010")] == [ParticipantState.IN] * 2

    def test_consent(self, hall: Hall) -> None:
        """By key, before anything else."""
        one = Caller(hall, 1, room="9030").enters()
        assert one.hears() == ["en/conference-consent"]
        one.press("1")
        assert hall.conferences.live["9030"].room.participants[0].consents

    def test_keys_after_the_end_mean_nothing(self, hall: Hall) -> None:
        """The last words are heard to their end."""
        host = Caller(hall, 1, room="9010").enters()
        host.press("123456#91")
        host.press("*1#2")
        assert listed(hall, "9010") == []
        while host.plays():
            host.hears()
        assert host.ended is True


def test_who_is_in_its_room_at_once(hall: Hall) -> None:
    """Not who is asked for a PIN or a name, waits, or is told first that it is recorded; nor in a room that is none."""
    straight = {
        each: hall.conferences.lets_straight_in(each) for each in ("9001", "9010", "9020", "9030", "")
    }
    assert straight == {"9001": True, "9010": False, "9020": False, "9030": False, "": False}


def test_in_another_process(hall: Hall, tmp_path: Path) -> None:
    """Who was in a room sits there again, or its call ends; who was on the way in is asked anew."""
    caller = Caller(hall, 1).enters()
    assert caller.application.remember() == {}
    caller.press("9001#")
    memory: Mapping[str, Any] = caller.application.remember()
    assert memory["participant"] == 1
    again = Caller(hall, 2)
    again.application.resume({})
    assert again.plays()[0] == "en/conference-welcome"
    lost = Caller(hall, 3)
    lost.application.resume({"meeting": "none", "participant": 1, "name": None})
    assert lost.ended is True
