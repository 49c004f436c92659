"""The events of a company over HTTP: by asking, by waiting, by WebSocket."""

from __future__ import annotations

import base64
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from wsproto.events import BytesMessage, CloseConnection, Ping

from admin_api.resources import events as resource
from engine.store.domain.tables import CompanyRow
from tests.admin_api.served import PASSWORD, USER, Answer, Served
from tests.admin_api.socket_reader import SocketReader

OTHER = 2
OTHER_UID = "cmp_" + "b" * 20


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    found = Served(tmp_path_factory.mktemp("events"))
    with found.store.database.writing() as session:
        session.add(
            CompanyRow(
                id=OTHER, uid=OTHER_UID, version=1, name="B", name_folded="b", culture="en", enabled=True
            )
        )
    yield found
    found.close()


@pytest.fixture
def company(served: Served) -> str:
    """The uid of the default company, whose log is empty."""
    with served.store.database.writing() as session:
        for each in (1, OTHER):
            served.store.events.remove(session, each)
        return str(session.get_one(CompanyRow, 1).uid)


def append(served: Served, count: int = 1, company: int = 1, kind: str = "users.added") -> None:
    with served.store.database.writing() as session:
        for n in range(count):
            served.store.events.append(session, company, kind, f"usr_{n}", {"name": f"é{n}"})


def ask(served: Served, company: str, query: str = "", **options: Any) -> Answer:
    return served.ask(f"/api/v1/events?company={company}{query}", user=USER, **options)


def follow(served: Served, query: str, *headers: tuple[bytes, bytes], user: str = USER) -> SocketReader:
    token = base64.b64encode(f"{user}:{PASSWORD}".encode())
    known = [(b"authorization", b"Basic " + token), *headers]
    connection = socket.create_connection(("127.0.0.1", served.port))
    return SocketReader(connection, f"/api/v1/events/socket?{query}", known)


def numbers(answer: Answer) -> list[int]:
    return [each["sequence"] for each in answer.json["events"]]


class TestAsking:
    def test_an_event(self, served: Served, company: str) -> None:
        """It says what happened to what, in whose company, and where to go on."""
        append(served)
        answer = ask(served, company, "&after=0")
        assert answer.status == 200
        event = answer.json["events"][0]
        assert event.pop("at").endswith("Z")
        assert event == {
            "sequence": 1,
            "kind": "users.added",
            "company": company,
            "subject": "usr_0",
            "data": {"name": "é0"},
        }
        assert answer.json["cursor"] == 1

    def test_page_by_page(self, served: Served, company: str) -> None:
        append(served, 7)
        first = ask(served, company, "&after=0&limit=4")
        then = ask(served, company, f"&after={first.json['cursor']}&limit=4")
        assert (numbers(first), numbers(then)) == ([1, 2, 3, 4], [5, 6, 7])

    def test_where_the_log_ends(self, served: Served, company: str) -> None:
        """Without a cursor there are no events, but the one to go on from."""
        append(served, 3)
        assert ask(served, company).json == {"events": [], "cursor": 3}

    def test_a_choice_of_kinds(self, served: Served, company: str) -> None:
        append(served, 2)
        append(served, 1, kind="calls.ended")
        append(served, 2)
        answer = ask(served, company, "&after=0&kinds=calls.*")
        assert (numbers(answer), answer.json["cursor"]) == ([3], 5)

    def test_companies_apart(self, served: Served, company: str) -> None:
        append(served, 2)
        append(served, 1, OTHER)
        assert numbers(ask(served, OTHER_UID, "&after=0")) == [1]
        several = served.ask("/api/v1/events", user=USER)
        assert several.is_problem(400)
        assert several.json["field"] == "company"
        assert ask(served, "cmp_nobody").is_problem(404)

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ("&after=-1", "after"),
            ("&after=x", "after"),
            ("&after=99999999999999999999", "after"),
            ("&after=9223372036854775808", "after"),
            ("&after=%D9%A1", "after"),
            ("&limit=0", "limit"),
            ("&limit=1001", "limit"),
            ("&wait=61", "wait"),
            ("&kinds=*", "kinds"),
        ],
    )
    def test_what_cannot_be_understood(self, served: Served, company: str, query: str, field: str) -> None:
        answer = ask(served, company, query)
        assert answer.is_problem(400)
        assert answer.json["field"] == field

    def test_an_unknown_cursor(self, served: Served, company: str) -> None:
        """Gone, with where to go on; waiting makes no difference."""
        append(served, 10)
        served.store.events.forget(1, most=4, before=0.0)
        for query in ("&after=3", "&after=11", "&after=11&wait=1"):
            answer = ask(served, company, query)
            assert answer.is_problem(410)
            assert answer.json["reason"] == "unknown_cursor"
            assert "after 6" in answer.json["detail"]

    def test_nobody_without_credentials(self, served: Served, company: str) -> None:
        assert served.ask(f"/api/v1/events?company={company}").status == 401
        assert served.ask(f"/api/v1/events?company={company}", local=True).status == 200


class TestWaiting:
    def test_for_the_next(self, served: Served, company: str) -> None:
        """The answer comes when something happens."""
        append(served, 2)
        writer = threading.Timer(0.3, append, (served,))
        writer.start()
        answer = ask(served, company, "&wait=8")
        writer.join()
        assert (numbers(answer), answer.json["cursor"]) == ([3], 3)

    def test_for_nothing(self, served: Served, company: str) -> None:
        """The cursor has moved over what was not wanted."""
        writer = threading.Timer(0.2, append, (served,))
        writer.start()
        answer = ask(served, company, "&wait=1&kinds=calls.*")
        writer.join()
        assert answer.json == {"events": [], "cursor": 1}

    def test_places_are_bounded(self, served: Served, company: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(resource, "MOST_OF_ONE", 0)
        refused = ask(served, company, "&wait=1")
        assert refused.is_problem(503)
        assert refused.headers["retry-after"] == "10"
        with follow(served, f"company={company}") as reader:
            assert reader.status == 503


class TestSocket:
    def test_from_a_cursor_on(self, served: Served, company: str) -> None:
        """First what was, then what happens, each once."""
        append(served, 700)
        with follow(served, f"company={company}&after=50") as reader:
            assert [each["sequence"] for each in reader.events(650)] == list(range(51, 701))
            append(served, 5)
            assert [each["sequence"] for each in reader.events(5)] == list(range(701, 706))

    def test_from_now_on(self, served: Served, company: str) -> None:
        append(served, 3)
        with follow(served, f"company={company}&kinds=users.*") as reader:
            append(served, 1, kind="calls.ended")
            append(served, 1)
            assert [each["sequence"] for each in reader.events(1)] == [5]

    def test_an_unknown_cursor(self, served: Served, company: str) -> None:
        append(served, 3)
        with follow(served, f"company={company}&after=9") as reader:
            assert reader.wait_closed() == 4410
            assert reader.reason == "go on after 0"

    def test_pings_are_answered_and_goodbyes_too(self, served: Served, company: str) -> None:
        with follow(served, f"company={company}") as reader:
            reader.send(Ping(payload=b"x"))
            append(served)
            assert len(reader.events(1)) == 1
            reader.send(CloseConnection(code=1000))
            assert reader.wait_closed() == 1000

    def test_a_reader_has_nothing_to_say(self, served: Served, company: str) -> None:
        with follow(served, f"company={company}") as reader:
            reader.send(BytesMessage(data=b"x"))
            assert reader.wait_closed() == 1003

    @pytest.mark.parametrize("data", [b"\xff" * 100, b"GET / HTTP/1.1\r\n\r\n", b"\x81\xfe" + b"\xff" * 9000])
    def test_what_is_no_websocket(self, served: Served, company: str, data: bytes) -> None:
        """The connection ends, and nothing else does."""
        with follow(served, f"company={company}") as reader:
            reader.raw(data)
            assert reader.wait_closed() is not None
        assert ask(served, company).status == 200

    def test_another_page_cannot_open_one(self, served: Served, company: str) -> None:
        with follow(served, f"company={company}", (b"origin", b"https://evil.example")) as reader:
            assert reader.status == 403

    def test_nor_somebody_unknown(self, served: Served, company: str) -> None:
        with follow(served, f"company={company}", user="nobody") as reader:
            assert reader.status == 401

    def test_another_company_is_not_there(self, served: Served) -> None:
        with follow(served, "company=cmp_nobody") as reader:
            assert reader.status == 404

    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"},
            {
                "Upgrade": "websocket",
                "Connection": "Upgrade",
                "Sec-WebSocket-Version": "12",
                "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
            },
        ],
    )
    def test_what_is_no_handshake(self, served: Served, headers: dict[str, str]) -> None:
        answer = served.ask("/api/v1/events/socket", user=USER, **headers)
        assert answer.is_problem(426)
        assert answer.headers["sec-websocket-version"] == "13"

    def test_the_end_of_the_engine(self, tmp_path: Path) -> None:
        """Who follows is told, so that it can come again."""
        served = Served(tmp_path)
        with follow(served, "after=0") as reader:
            append(served)
            assert len(reader.events(1)) == 1
            closing = threading.Thread(target=served.close)
            closing.start()
            assert reader.wait_closed() == 1001
            closing.join()
