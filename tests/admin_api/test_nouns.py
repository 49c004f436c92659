"""The routes every noun has, over loopback, with a noun on paper; and the companies of a real store."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.admin_api.paper_noun import PaperThings
from tests.admin_api.served import USER, Answer, Served

THINGS = "/api/v1/paper-things"
JSON = "application/json"


@pytest.fixture(scope="module")
def module_served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, PaperThings]]:
    things = PaperThings()
    served = Served(Path(tmp_path_factory.mktemp("nouns")), extra=lambda store: [things])
    yield served, things
    served.close()


class Client:
    """Asks for things."""

    def __init__(self, served: Served, things: PaperThings) -> None:
        self.served = served
        self.things = things

    def __call__(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        data = None
        if body is not None:
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            names.setdefault("Content-Type", JSON)
        return self.served.ask(f"{THINGS}{path}", method=method, user=USER, body=data, **names)

    def add(self, name: str, **fields: object) -> str:
        answer = self("POST", "", {"name": name, **fields})
        assert answer.status == 201, answer.body
        uid: str = answer.json["uid"]
        return uid


@pytest.fixture
def client(module_served: tuple[Served, PaperThings]) -> Client:
    served, things = module_served
    things.kept.clear()
    return Client(served, things)


class TestOne:
    def test_a_life(self, client: Client) -> None:
        """Made, shown, changed and removed; each answer bears its version."""
        made = client("POST", "", {"name": "a", "count": 3, "pin": "1234"})
        assert (made.status, made.headers["etag"]) == (201, '"1"')
        path = made.headers["location"].removeprefix(THINGS)
        shown = client("GET", path)
        assert shown.json == made.json
        assert (shown.json["has_pin"], shown.headers["etag"]) == (True, '"1"')
        assert "1234" not in shown.body.decode()
        changed = client("PATCH", path, {"count": None})
        assert (changed.json["count"], changed.json["name"], changed.headers["etag"]) == (None, "a", '"2"')
        removed = client("DELETE", path)
        assert (removed.status, removed.body) == (204, b"")
        assert client("GET", path).is_problem(404)
        assert client("PATCH", path, {}).is_problem(404)
        assert client("DELETE", path).is_problem(404)

    def test_every_wrong_field_is_named(self, client: Client) -> None:
        answer = client("POST", "", {"name": "", "count": 10, "numbers": ["1", "x"], "other": 1})
        assert answer.is_problem(400)
        assert answer.json["field"] == "name"
        assert [each["field"] for each in answer.json["errors"]] == ["name", "count", "numbers[1]", "other"]
        assert answer.json["errors"][1]["detail"] == "expected a whole number: 0 to 9 or null"
        assert client("POST", "", {}).json["errors"] == [
            {"field": "name", "detail": "expected a text of 1 to 20 characters; it is required"}
        ]

    @pytest.mark.parametrize(
        ("body", "kind", "status"),
        [(b"[]", JSON, 400), (b"{", JSON, 400), (b"{}", "text/plain", 415), (b"\xff", JSON, 400)],
    )
    def test_no_object(self, client: Client, body: bytes, kind: str, status: int) -> None:
        assert client("POST", "", body, Content_Type=kind).is_problem(status)

    def test_a_merge_patch(self, client: Client) -> None:
        """RFC 7396's own type is taken for a change, and for nothing else."""
        uid = client.add("a")
        kind = "application/merge-patch+json"
        assert client("PATCH", f"/{uid}", {"count": 1}, Content_Type=kind).json["count"] == 1
        assert client("POST", "", {"name": "b"}, Content_Type=kind).is_problem(415)

    def test_conflicts(self, client: Client) -> None:
        uid = client.add("needed")
        assert client("POST", "", {"name": "needed"}).is_problem(409)
        assert client("DELETE", f"/{uid}").is_problem(409)
        spent = client("POST", "", {"name": "full"})
        assert spent.is_problem(409)
        assert spent.json["reason"] == "spent"

    def test_sparse_fields(self, client: Client) -> None:
        uid = client.add("a")
        assert client("GET", f"/{uid}?fields=name,uid").json == {"uid": uid, "name": "a"}
        assert client("GET", f"/{uid}?fields=secret").json["field"] == "fields"
        assert client("GET", f"/{uid}?colour=red").json["field"] == "colour"


class TestConditions:
    def test_a_change_of_what_was_read(self, client: Client) -> None:
        """Whoever changes what another has changed meanwhile is told so, and what it is now."""
        uid = client.add("a")
        assert client("PATCH", f"/{uid}", {"count": 1}, If_Match='"1"').status == 200
        stale = client("PATCH", f"/{uid}", {"count": 2}, If_Match='"1"')
        assert stale.is_problem(412)
        assert stale.headers["etag"] == '"2"'
        assert client("DELETE", f"/{uid}", If_Match='"1"').is_problem(412)
        assert client("PATCH", f"/{uid}", {"count": 2}, If_Match='W/"2"').is_problem(412)
        assert client("PATCH", f"/{uid}", {"count": 2}, If_Match='"7", "8"').is_problem(412)
        assert client("PATCH", f"/{uid}", {"count": 2}, If_Match="2").is_problem(400)
        assert client.things.kept[uid][0].count == 1
        assert client("PATCH", f"/{uid}", {"count": 2}, If_Match='"1", "2"').status == 200
        assert client("DELETE", f"/{uid}", If_Match="*").status == 204

    def test_what_the_asker_has(self, client: Client) -> None:
        uid = client.add("a")
        again = client("GET", f"/{uid}", If_None_Match='"1"')
        assert (again.status, again.body, again.headers["etag"]) == (304, b"", '"1"')
        assert client("GET", f"/{uid}", If_None_Match='"2"').status == 200
        listed = client("GET", "")
        assert client("GET", "", If_None_Match=listed.headers["etag"]).status == 304
        client.add("b")
        assert client("GET", "", If_None_Match=listed.headers["etag"]).status == 200


class TestLists:
    def test_pages(self, client: Client) -> None:
        """Each page leads to the next, in its body and in Link, with everything else that was asked."""
        for name in "cabed":
            client.add(name)
        path, found = "?limit=2&order=-name&fields=name", []
        while path:
            answer = client("GET", path)
            found.append([each["name"] for each in answer.json["items"]])
            path = answer.headers.get("link", "").partition(">")[0].removeprefix(f"<{THINGS}")
            assert bool(path) is (answer.json["next"] is not None)
        assert found == [["e", "d"], ["c", "b"], ["a"]]

    def test_filters_and_search(self, client: Client) -> None:
        client.add("aa", colour="blue")
        client.add("ab")
        client.add("bb", colour="blue")
        names = [each["name"] for each in client("GET", "?colour=blue&q=a").json["items"]]
        assert names == ["aa"]

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ("limit=0", "limit"),
            ("limit=1001", "limit"),
            ("limit=x", "limit"),
            ("limit=" + "9" * 30, "limit"),
            ("cursor=junk", "cursor"),
            ("order=count", "order"),
            ("fields=secret", "fields"),
            ("colour=green", "colour"),
            ("colour=red&colour=blue", "colour"),
            ("other=1", "other"),
            ("q=%ff", "q"),
            ("q=" + "a" * 1001, "q"),
        ],
    )
    def test_what_cannot_be_asked(self, client: Client, query: str, field: str) -> None:
        answer = client("GET", f"?{query}")
        assert answer.is_problem(400)
        assert answer.json["field"] == field


class TestExport:
    def test_csv_and_back(self, client: Client) -> None:
        """All of a list, however long; sent back it changes nothing but what was edited."""
        for index in range(1003):
            client.things.add_directly(f"n{index:04}", ["+331", "2"])
        answer = client("GET", "", Accept="text/csv")
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert answer.headers["vary"] == "accept"
        rows = list(csv.DictReader(io.StringIO(answer.body.decode(), newline="")))
        assert len(rows) == 1003
        assert rows[0]["numbers"] == '["+331","2"]'
        few = client("GET", "?limit=2", Accept="text/csv").body.decode()
        assert few.count("\r\n") == 3
        edited = few.replace(",red,", ",blue,", 1)
        done = client("POST", "/bulk", edited.encode(), Content_Type="text/csv").json
        assert (done["changed"], done["failed"]) == (2, 0)
        uids = [row["uid"] for row in rows[:2]]
        assert [client.things.kept[uid][0].colour for uid in uids] == ["blue", "red"]

    def test_json_lines(self, client: Client) -> None:
        client.add("a")
        client.add("b")
        answer = client("GET", "?fields=name", Accept="application/x-ndjson")
        assert answer.body == b'{"name":"a"}\n{"name":"b"}\n'


class TestBulk:
    def ask(self, client: Client, data: str, kind: str = "application/x-ndjson") -> Any:
        return client("POST", "/bulk", data.encode(), Content_Type=kind)

    def test_rows_do_not_stop_one_another(self, client: Client) -> None:
        """Each is added, changed or removed by itself, and answered in its place."""
        first, second = client.add("a"), client.add("b")
        rows: list[object] = [
            {"name": "c"},
            {"name": "", "count": 99},
            {"uid": first, "_version": 1, "count": 2},
            {"uid": second, "_version": 7, "count": 2},
            {"uid": second, "_remove": True},
            {"uid": "thg_0", "_remove": True},
            ["no object"],
            {"uid": 7},
        ]
        done = self.ask(client, "\n".join(map(json.dumps, rows))).json
        assert [row["status"] for row in done["rows"]] == [201, 400, 200, 412, 204, 404, 400, 400]
        assert [row["row"] for row in done["rows"]] == list(range(1, 9))
        assert {name: done[name] for name in ("added", "changed", "removed", "failed")} == {
            "added": 1,
            "changed": 1,
            "removed": 1,
            "failed": 5,
        }
        errors = done["rows"][1]["problem"]["errors"]
        assert [each["field"] for each in errors] == ["name", "count"]

    def test_csv(self, client: Client) -> None:
        """A column a field; an empty cell is nothing, or null."""
        done = self.ask(client, "name,count,numbers\na,3,[]\nb,,\nc,x,\n", "text/csv").json
        assert [row["status"] for row in done["rows"]] == [201, 201, 400]
        assert done["rows"][2]["problem"]["field"] == "count"
        assert sorted(each.name for each, _ in client.things.kept.values()) == ["a", "b"]

    @pytest.mark.parametrize(
        ("data", "kind", "status"),
        [
            ("{", "application/x-ndjson", 400),
            ("a,a\n1,2\n", "text/csv", 400),
            ("name\n" + "a\n" * 5001, "text/csv", 400),
            ("name\na\n", "text/plain", 415),
            ("{}", JSON, 415),
        ],
    )
    def test_no_rows(self, client: Client, data: str, kind: str, status: int) -> None:
        """Then none of it is done."""
        assert self.ask(client, data, kind).is_problem(status)
        assert client.things.kept == {}


class TestVerbs:
    def test_to_read_and_to_do(self, client: Client) -> None:
        uid = client.add("a")
        assert client("GET", f"/{uid}/said?times=3").json == {"text": "aaa"}
        assert client("POST", f"/{uid}/say", {"times": 2}).json == {"text": "aa"}
        assert client("GET", f"/{uid}/picture").headers["content-type"] == "image/svg+xml"
        assert client("GET", f"/{uid}/said?times=4&x=1").is_problem(400)
        assert client("POST", f"/{uid}/say", {"times": "2"}).json["field"] == "times"
        assert client("POST", "/thg_0/say", {}).is_problem(404)
        assert client("POST", "/forget", {}).status == 204
        assert client.things.kept == {}


class TestCompanies:
    def test_of_a_real_store(self, client: Client) -> None:
        """The first noun: what is written can be read, found and is never there twice."""
        ask = client.served.ask

        def put(body: object) -> Answer:
            data, headers = json.dumps(body).encode(), {"Content-Type": JSON}
            return ask("/api/v1/companies", method="POST", user=USER, body=data, **headers)

        made = put({"name": "Électricité"})
        assert made.status == 201
        assert put({"name": "electricite"}).is_problem(409)
        assert put({"name": "a\0"}).is_problem(400)
        listed = ask("/api/v1/companies?limit=1", user=USER)
        assert listed.json["next"]
        names = []
        path = "/api/v1/companies?limit=1"
        while path:
            answer = ask(path, user=USER)
            names += [each["name"] for each in answer.json["items"]]
            path = answer.headers.get("link", "").partition(">")[0].removeprefix("<")
        assert "Électricité" in names
        assert len(names) == len(set(names)) >= 2
