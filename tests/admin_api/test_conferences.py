"""Rooms, policies and live meetings over HTTP, before people on paper."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from conference.definition import RecordKind, RoomDefinition
from conference.events import EventKind
from conference.refusals import Reason
from conference.role import Role, Verb
from engine.conferences.refusal_texts import REFUSALS
from engine.conferences.seat import Seat
from engine.conferences.values import COMMANDS
from engine.language import LANGUAGES
from engine.store.conferences.records import RoomRange
from tests.admin_api.served import USER, Answer, Served

ROOMS, POLICIES = "/api/v1/conferences", "/api/v1/meeting-policies"


class Client:
    """An administrator with a program."""

    def __init__(self, served: Served) -> None:
        self.served = served

    def get(self, path: str, **headers: str) -> Answer:
        return self.served.ask(path, user=USER, **headers)

    def send(self, method: str, path: str, value: object = None, **headers: str) -> Answer:
        body = value if isinstance(value, bytes) else json.dumps({} if value is None else value).encode()
        told = {"Content-Type": "application/json", **headers}
        return self.served.ask(path, method=method, user=USER, body=body, **told)

    def act(self, verb: str, *, room: str = "9001", language: str = "en", **values: object) -> Answer:
        path = f"{ROOMS}/{room}/live/{verb}"
        return self.send("POST", path, values, **{"Accept-Language": language})


@pytest.fixture(scope="module")
def module_served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    found = Served(Path(tmp_path_factory.mktemp("api")))
    yield found
    found.close()


@pytest.fixture
def served(module_served: Served) -> Served:
    module_served.clear()
    return module_served


@pytest.fixture
def client(served: Served) -> Client:
    return Client(served)


def meeting(served: Served, **room: Any) -> tuple[Seat, Seat]:
    """A host and a guest in 9001."""

    def begin() -> tuple[Seat, Seat]:
        served.hall.conferences.define((RoomDefinition(number="9001", music=False, **room),))
        return served.hall.call(role=Role.HOST, name="Zoé"), served.hall.call()

    return served.inside(begin)


class TestRooms:
    def test_from_the_making_to_the_removal(self, client: Client) -> None:
        """Each change holds at once: who calls then comes into the room as it is now."""
        made = client.send(
            "POST", ROOMS, {"number": "9001", "name": "Ventes", "host_pin": "13579", "record": "mix"}
        )
        assert made.status == 201
        assert made.headers["location"] == f"{ROOMS}/9001"
        assert made.json["host_pin"] == "13579"
        assert made.json["live"] is False
        find = client.served.hall.conferences.find
        found = find("9001")
        assert found is not None
        assert (found.host_pin, found.record) == ("13579", RecordKind.MIX)
        changed = client.send("PATCH", f"{ROOMS}/9001", {"host_pin": None, "number": "9002"})
        assert changed.status == 200
        assert (changed.json["host_pin"], changed.json["name"]) == (None, "Ventes")
        assert find("9001") is None
        assert find("9002") is not None
        assert [each["number"] for each in client.get(ROOMS).json] == ["9002"]
        assert client.get(f"{ROOMS}/9002").json == changed.json
        assert client.send("DELETE", f"{ROOMS}/9002").status == 204
        assert find("9002") is None
        assert client.get(f"{ROOMS}/9002").is_problem(404)

    @pytest.mark.parametrize(
        ("values", "field"),
        [
            ({"number": "90a"}, "number"),
            ({"number": ""}, "number"),
            ({"number": 9001}, "number"),
            ({"number": "9001", "host_pin": "12"}, "host_pin"),
            ({"number": "9001", "guest_pin": ["1234"]}, "guest_pin"),
            ({"number": "9001", "lobby": "maybe"}, "lobby"),
            ({"number": "9001", "kind": "ad_hoc"}, "kind"),
            ({"number": "9001", "max_participants": 0}, "max_participants"),
            ({"number": "9001", "max_participants": True}, "max_participants"),
            ({"number": "9001", "max_participants": 10**30}, "max_participants"),
            ({"number": "9001", "host_grace": -1}, "host_grace"),
            ({"number": "9001", "language": "de"}, "language"),
            ({"number": "9001", "name": "a\nb"}, "name"),
            ({"number": "9001", "owner_address": "nobody"}, "owner_address"),
            ({"number": "9001", "enabled": "yes"}, "enabled"),
            ({"number": "9001", "pin": "1234"}, "pin"),
            ({"number": "9001", "policy": {}}, "policy"),
            ({"number": "9001", "id": 7}, "id"),
        ],
    )
    def test_a_wrong_field_is_named(self, client: Client, values: object, field: str) -> None:
        """And nothing is stored; a PIN is not repeated."""
        answer = client.send("POST", ROOMS, values)
        assert answer.is_problem(400)
        assert answer.json["field"] == field
        assert answer.json["detail"].startswith(f"{field}: expected ")
        assert client.get(ROOMS).json == []

    @pytest.mark.parametrize("body", [b"", b"[]", b"1", b"{", b'{"a":', b"\xff", b"[" * 50_000, b'"\\ud800"'])
    def test_what_is_no_object(self, client: Client, body: bytes) -> None:
        """400, whatever it is."""
        assert client.send("POST", ROOMS, body).status in (400, 404)

    def test_numbers_in_use(self, client: Client) -> None:
        """409, from another room and from an ad hoc one."""
        assert client.send("POST", ROOMS, {"number": "9001"}).status == 201
        assert client.send("POST", ROOMS, {"number": "9001"}).is_problem(409)
        assert client.send("POST", ROOMS, {"number": "9002"}).status == 201
        assert client.send("PATCH", f"{ROOMS}/9002", {"number": "9001"}).is_problem(409)
        assert client.send("POST", f"{ROOMS}/live", {"number": "9001"}).is_problem(409)

    def test_the_next_free_number(self, client: Client) -> None:
        """Of the domain's ranges, or 404 where it has none (left)."""
        client.served.store.room_ranges.add(RoomRange(first_number="7000", count=2, domain="sales"))
        numbers = [client.send("POST", ROOMS, {"domain": "sales"}) for _ in range(3)]
        assert [each.status for each in numbers] == [201, 201, 404]
        assert [each.json["number"] for each in numbers[:2]] == ["7000", "7001"]

    @pytest.mark.parametrize("number", ["9009", "x", "%00", "9" * 30])
    def test_rooms_that_are_not(self, client: Client, number: str) -> None:
        assert client.get(f"{ROOMS}/{number}").is_problem(404)
        assert client.send("PATCH", f"{ROOMS}/{number}", {}).is_problem(404)
        assert client.send("DELETE", f"{ROOMS}/{number}").is_problem(404)
        assert client.get(f"{ROOMS}/{number}/events").is_problem(404)
        assert client.get(f"{ROOMS}/{number}/meetings").is_problem(404)


class TestPolicies:
    def test_the_three_levels(self, client: Client) -> None:
        """What the user's does not say, the group's does, then the default."""
        assert (
            client.send("PUT", f"{POLICIES}/default", {"dial_out": False, "recording": False}).status == 201
        )
        group = {"members": ["101"], "recording": True, "max_participants": 12}
        assert client.send("PUT", f"{POLICIES}/group:sales", group).status == 201
        assert client.send("PUT", f"{POLICIES}/user:101", {"max_participants": 3}).status == 201
        client.send("POST", ROOMS, {"number": "9001", "owner": "101"})
        found = client.served.hall.conferences.find("9001")
        assert found is not None
        policy = found.policy
        assert (policy.dial_out, policy.recording, policy.max_participants) == (False, True, 3)
        assert [each["key"] for each in client.get(POLICIES).json] == ["default", "group:sales", "user:101"]
        assert client.send("PUT", f"{POLICIES}/user:101", {}).status == 200
        assert client.get(f"{POLICIES}/user:101").json["max_participants"] is None
        assert client.send("DELETE", f"{POLICIES}/group:sales").status == 204
        found = client.served.hall.conferences.find("9001")
        assert found is not None
        assert found.policy.recording is False
        assert client.get(f"{POLICIES}/group:sales").is_problem(404)

    @pytest.mark.parametrize(
        ("key", "values", "field"),
        [
            ("everybody", {}, "key"),
            ("default:x", {}, "key"),
            ("user", {}, "key"),
            ("user:%00", {}, "key"),
            ("user:101", {"members": ["1"]}, "members"),
            ("user:101", {"audio": 1}, "audio"),
            ("user:101", {"max_participants": 0}, "max_participants"),
            ("user:101", {"scope": "group"}, "scope"),
        ],
    )
    def test_a_wrong_field_is_named(self, client: Client, key: str, values: object, field: str) -> None:
        answer = client.send("PUT", f"{POLICIES}/{key}", values)
        assert answer.is_problem(400)
        assert answer.json["field"] == field


class TestMeetings:
    """What is planned; the mail it leads to is tested where it is written."""

    PLAN: ClassVar[dict[str, object]] = {
        "title": "Weekly",
        "start": "2027-03-01T10:00:00",
        "end": "2027-03-01T11:00:00",
        "time_zone": "Europe/Paris",
        "recurrence": "FREQ=WEEKLY;COUNT=3",
        "invitees": [{"address": "zoe@example.com", "role": "host", "language": "fr"}],
    }

    def test_planned_changed_cancelled(self, client: Client) -> None:
        client.send("POST", ROOMS, {"number": "9001", "kind": "scheduled"})
        planned = client.send("POST", f"{ROOMS}/9001/meetings", self.PLAN)
        assert planned.status == 201
        where = planned.headers["location"]
        assert client.get(f"{ROOMS}/9001/meetings").json == [client.get(where).json]
        assert client.get(where).json["start"] == "2027-03-01T10:00:00"
        changed = client.send("PATCH", where, {"title": "Every week"}).json
        assert (changed["title"], changed["sequence"], len(changed["invitees"])) == ("Every week", 1, 1)
        assert client.send("DELETE", f"{ROOMS}/9001").is_problem(409)
        assert client.send("DELETE", where).json["cancelled"] is True
        assert client.get(where).json["next"] is None

    @pytest.mark.parametrize(
        ("values", "field"),
        [
            ({"end": "2027-03-01T09:00:00"}, "end"),
            ({"start": "tomorrow"}, "start"),
            ({"start": "2027-03-01T10:00:00Z"}, "start"),
            ({"time_zone": "Mars/Base"}, "time_zone"),
            ({"recurrence": "FREQ=NEVER"}, "recurrence"),
            ({"invitees": [{"address": "nobody"}]}, "invitees"),
            ({"invitees": [{"address": "a@example.com", "told": 1}]}, "invitees"),
            ({"invitees": [{"address": "a@example.com", "role": "king"}]}, "invitees"),
            ({"uid": "mine"}, "uid"),
            ({"title": ""}, "title"),
        ],
    )
    def test_a_wrong_field_is_named(self, client: Client, values: dict[str, object], field: str) -> None:
        client.send("POST", ROOMS, {"number": "9001"})
        answer = client.send("POST", f"{ROOMS}/9001/meetings", {**self.PLAN, **values})
        assert answer.is_problem(400)
        assert answer.json["field"] == field
        assert client.get(f"{ROOMS}/9001/meetings").json == []

    def test_those_that_are_not(self, client: Client) -> None:
        assert client.get(f"{ROOMS}/9001/meetings").is_problem(404)
        assert client.send("POST", f"{ROOMS}/9001/meetings", self.PLAN).is_problem(404)
        for uid in ("x@y", "%00"):
            assert client.get(f"/api/v1/meetings/{uid}").is_problem(404)
            assert client.send("DELETE", f"/api/v1/meetings/{uid}").is_problem(404)


class TestChanges:
    """Requests a browser sends for somebody else's page (CSRF)."""

    BODY = b'{"number": "9001"}'

    @pytest.mark.parametrize(
        "headers",
        [
            {"Origin": "https://evil.example"},
            {"Origin": "null"},
            {"Origin": "http://127.0.0.1:1"},
            {"Origin": "http://["},
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
        ],
    )
    def test_of_another_page(self, client: Client, headers: dict[str, str]) -> None:
        assert client.send("POST", ROOMS, self.BODY, **headers).is_problem(403)
        assert client.send("DELETE", f"{ROOMS}/9001", **headers).is_problem(403)

    @pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
    def test_as_a_form_would(self, client: Client, kind: str) -> None:
        assert client.send("POST", ROOMS, self.BODY, **{"Content-Type": kind}).is_problem(415)

    def test_of_our_own_page(self, client: Client) -> None:
        ours = f"http://127.0.0.1:{client.served.port}"
        headers = {"Origin": ours, "Content-Type": "application/json; charset=utf-8"}
        assert client.send("POST", ROOMS, self.BODY, **headers).status == 201

    def test_without_a_password(self, served: Served) -> None:
        """401 before anything is read; nobody's PIN is shown."""
        json_type = {"Content-Type": "application/json"}
        assert served.ask(ROOMS, method="POST", body=self.BODY, **json_type).is_problem(401)
        for path in (ROOMS, f"{ROOMS}/live", f"{ROOMS}/events", POLICIES):
            assert served.ask(path).is_problem(401)

    def test_too_much(self, client: Client) -> None:
        body = b'{"name": "' + b"x" * 70_000 + b'"}'
        assert client.send("POST", ROOMS, body).is_problem(413)


class TestLive:
    def test_the_list(self, client: Client) -> None:
        """Everybody with role, state, mute and level, as the room has it."""
        host, guest = meeting(client.served)
        client.served.inside(lambda: client.served.hall.talk(host))
        [room] = client.get(f"{ROOMS}/live").json
        assert (room["number"], room["participants"], room["hosts"]) == ("9001", 2, 1)
        assert room["talking"] == [host.id]
        told = client.get(f"{ROOMS}/9001/live").json
        assert told["room"] == room
        first, second = told["participants"]
        assert (first["id"], first["name"], first["role"]) == (host.id, "Zoé", "host")
        assert (first["talking"], second["talking"]) == (True, False)
        assert (second["id"], second["state"], second["number"]) == (guest.id, "in", guest.party.number)
        assert client.get(f"{ROOMS}/9002/live").json["reason"] == "unknown_room"

    def test_every_verb_has_its_effect(self, client: Client) -> None:
        """In an administrator's name, on the list and on the leg."""
        host, guest = meeting(client.served, record=RecordKind.MIX)
        leg: Any = guest.party.leg

        def guest_after(verb: str, **values: object) -> Any:
            answer = client.act(verb, participant=guest.id, **values)
            assert answer.status == 200, answer.body
            return answer.json["participants"][1]

        assert guest_after("mute")["muted_by_host"] is True
        assert ("mix", True, 0.0, 0.0) in leg.told
        assert guest_after("unmute")["muted_by_host"] is False
        assert guest_after("listen_only", on=True)["listen_only_by_host"] is True
        assert guest_after("listen_only", on=False)["listen_only_by_host"] is False
        assert guest_after("rename", name="Anna")["name"] == "Anna"
        assert guest_after("set_role", role="host")["role"] == "host"
        assert guest_after("set_role", role="guest")["role"] == "guest"
        assert guest_after("set_gain", gain_db=-6)["gain_db"] == -6.0
        assert ("mix", False, -6.0, 0.0) in leg.told
        assert guest_after("announce_count")["state"] == "in"
        aside = client.act("step_aside", participants=[host.id, guest.id])
        assert {each["aside"] for each in aside.json["participants"]} == {1}
        assert leg.room == "conference 9001 aside 1"
        client.act("step_back", participant=host.id)
        assert guest_after("step_back")["aside"] is None
        assert client.act("mute_all").json["room"]["guests_muted"] is True
        assert client.act("unmute_all").json["room"]["guests_muted"] is False
        assert client.act("lock").json["room"]["locked"] is True
        assert client.act("unlock").json["room"]["locked"] is False
        assert client.act("start_recording").json["room"]["recording"] == "asked"
        assert client.act("stop_recording").json["room"]["recording"] == "off"
        assert guest.id not in {
            each["id"] for each in client.act("expel", participant=guest.id).json["participants"]
        }
        assert client.act("end").status == 204
        assert client.served.hall.conferences.live == {}
        actors = {each.actor for each in client.served.hall.events if each.kind is EventKind.MUTED}
        assert actors == {USER}

    @pytest.mark.parametrize(
        ("verb", "values", "status", "reason"),
        [
            ("mute", {"participant": 99}, 404, "unknown_participant"),
            ("admit", {"participant": 1}, 409, "not_waiting"),
            ("raise_hand", {"participant": 1}, 403, "not_yours"),
            ("set_volume", {"participant": 1, "volume_db": 1}, 403, "not_yours"),
            ("set_gain", {"participant": 1, "gain_db": 1e9}, 400, "out_of_range"),
            ("rename", {"participant": 1, "name": ""}, 400, "bad_name"),
            ("dial_out", {"number": "sip:x@y"}, 400, "bad_number"),
            ("stop_recording", {}, 409, "not_recording"),
            ("merge", {"into": "9001"}, 409, "same_room"),
            ("merge", {"into": "9009"}, 404, "unknown_room"),
        ],
    )
    def test_refusals(
        self, client: Client, verb: str, values: dict[str, object], status: int, reason: str
    ) -> None:
        """A fixed word for programs, a text for people in their language; nothing has changed."""
        meeting(client.served)
        position = client.get(f"{ROOMS}/9001/live").json["room"]["position"]
        for asked, language in (("en", "en"), ("fr-FR,fr;q=0.9,en;q=0.5", "fr"), ("de", "en")):
            answer = client.act(verb, language=asked, **values)
            assert answer.is_problem(status)
            assert answer.json["reason"] == reason
            assert answer.json["detail"] == REFUSALS.say(Reason(reason), language)  # type: ignore[arg-type]
        assert client.get(f"{ROOMS}/9001/live").json["room"]["position"] == position

    @pytest.mark.parametrize(
        ("verb", "values", "field"),
        [
            ("mute", {}, "participant"),
            ("mute", {"participant": "1"}, "participant"),
            ("mute", {"participant": 1, "on": True}, "on"),
            ("set_role", {"participant": 1, "role": "king"}, "role"),
            ("step_aside", {"participants": [1, "2"]}, "participants"),
            ("end", {"really": True}, "really"),
        ],
    )
    def test_a_wrong_field_is_named(
        self, client: Client, verb: str, values: dict[str, object], field: str
    ) -> None:
        meeting(client.served)
        answer = client.act(verb, **values)
        assert answer.is_problem(400)
        assert answer.json["field"] == field

    def test_no_such_verb_or_meeting(self, client: Client) -> None:
        meeting(client.served)
        assert client.act("sing").is_problem(404)
        assert client.act("lock", room="9002").json["reason"] == "unknown_room"
        assert client.get(f"{ROOMS}/9001/live/lock").is_problem(405)

    def test_ad_hoc(self, client: Client) -> None:
        """A meeting that no store knows, until it is over."""
        opened = client.send("POST", f"{ROOMS}/live", {"number": "9077", "name": "Now"})
        assert opened.status == 201
        assert opened.json["room"]["kind"] == "ad_hoc"
        assert client.send("POST", f"{ROOMS}/live", {"number": "9077"}).is_problem(409)
        assert client.get(ROOMS).json == []
        assert client.act("end", room="9077").status == 204
        assert client.get(f"{ROOMS}/live").json == []

    def test_held_meetings(self, client: Client) -> None:
        """Those that are over, when the store has them."""
        meeting(client.served)
        client.act("end")
        client.served.inside(lambda: client.served.hall.clock.advance(1))
        held = client.get(f"{ROOMS}/9001/held?count=1").json[0]
        assert (held["number"], held["reason"], held["most"]) == ("9001", "ended", 2)
        assert client.get(f"{ROOMS}/9002/held").json == []
        assert client.get(f"{ROOMS}/held?count=x").is_problem(400)


def test_every_verb_can_be_asked_for() -> None:
    assert set(COMMANDS) == set(Verb)


def test_every_refusal_has_its_texts() -> None:
    assert all(REFUSALS.say(reason, language) for reason in Reason for language in LANGUAGES)
