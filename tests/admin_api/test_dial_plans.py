"""A domain's dial plan over REST: its settings, its rules, try-it and CSV."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.domain.dial_plan import starting_rules
from engine.domain.dial_plan.csv_format import write_rules
from tests.admin_api.served import USER, Answer, Served

JSON = "application/json"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    served = Served(Path(tmp_path_factory.mktemp("plans")))
    yield served
    served.close()


def ask(served: Served, method: str, path: str, body: object = None) -> Answer:
    data = None if body is None else json.dumps(body).encode()
    headers = {} if body is None else {"Content-Type": JSON}
    return served.ask(f"/api/v1/{path}", method=method, user=USER, body=data, **headers)


@pytest.fixture(scope="module")
def domain(served: Served) -> str:
    """A new one."""
    company = ask(served, "GET", "companies").json["items"][0]["uid"]
    made = ask(served, "POST", "domains", {"name": "Lyon", "company": company, "internal_length": 3})
    assert made.status == 201
    assert (made.json["internal_length"], made.json["external_prefix"]) == (3, "0")
    uid: str = made.json["uid"]
    return uid


def test_a_number_is_tried(served: Served, domain: str) -> None:
    tried = ask(served, "POST", f"domains/{domain}/dial-plan/try", {"number": "+33 (0) 1 23 45 67 89"})
    assert tried.status == 200
    assert tried.json["number"] == "00123456789"
    assert tried.json["rule"]["priority"] == 10
    assert [each["kind"] for each in tried.json["steps"]] == ["read", "rule", "has_external_prefix"]
    tried = ask(served, "POST", f"domains/{domain}/dial-plan/try", {"number": "#31#"})
    assert (tried.json["number"], tried.json["rule"]) == ("#31#", None)


@pytest.mark.parametrize(
    ("body", "field"),
    [({}, "number"), ({"number": "1" * 321}, "number"), ({"number": "1", "direction": "up"}, "direction")],
)
def test_what_cannot_be_tried(served: Served, domain: str, body: object, field: str) -> None:
    refused = ask(served, "POST", f"domains/{domain}/dial-plan/try", body)
    assert refused.is_problem(400)
    assert refused.json["field"] == field
    assert ask(served, "POST", "domains/dom_x/dial-plan/try", {"number": "1"}).is_problem(404)


def test_rules_and_settings(served: Served, domain: str) -> None:
    """A rule that cannot be is 400 with its field; one that is made is tried at once."""
    rule = {"domain": domain, "priority": 5, "pattern": "03611", "result": "03611"}
    for changes, field in (
        ({"pattern": "[(1"}, "pattern"),
        ({"pattern": "[(1]"}, "pattern"),
        ({"result": "$1"}, "result"),
    ):
        refused = ask(served, "POST", "dial-rules", rule | changes)
        assert refused.is_problem(400)
        assert refused.json["field"] == field
    made = ask(served, "POST", "dial-rules", rule)
    assert made.status == 201
    tried = ask(served, "POST", f"domains/{domain}/dial-plan/try", {"number": "03611"})
    assert tried.json["rule"] == made.json
    listed = ask(served, "GET", f"dial-rules?domain={domain}&direction=outgoing")
    assert [each["priority"] for each in listed.json["items"]] == [5, 10, 20, 30, 40, 50]
    changed = ask(served, "PATCH", f"domains/{domain}", {"external_prefix": "9"})
    assert changed.json["external_prefix"] == "9"
    assert (
        ask(served, "PATCH", f"domains/{domain}", {"external_prefix": "x"}).json["field"] == "external_prefix"
    )
    tried = ask(served, "POST", f"domains/{domain}/dial-plan/try", {"number": "0155171889"})
    assert tried.json["number"] == "90155171889"


def test_csv(served: Served, domain: str) -> None:
    """All of a file, or nothing of it."""
    path, text = f"domains/{domain}/dial-plan/rules", write_rules(starting_rules("33"))
    assert ask(served, "PUT", path, {"csv": text}).json.keys() == {"kept", "added", "removed"}
    exported = ask(served, "GET", path)
    assert exported.headers["content-type"].startswith("text/csv")
    assert exported.body.decode() == text
    refused = ask(served, "PUT", path, {"csv": text + "outgoing,1,[(1],,true,\n"})
    assert refused.is_problem(400)
    assert refused.json["field"] == "row 7, pattern"
    assert ask(served, "GET", path).body == exported.body
