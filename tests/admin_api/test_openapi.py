"""The API's description: whole, valid, and of what is served."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from admin_api.openapi import REFERENCE, document
from tests.admin_api.paper_noun import PaperThings
from tests.admin_api.served import Served

BODIES = {"post", "put", "patch"}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    served = Served(Path(tmp_path_factory.mktemp("described")), extra=lambda store: [PaperThings()])
    try:
        answer = served.ask("/api/v1/openapi.json")
        assert answer.status == 200
        again = served.ask("/api/v1/openapi.json", **{"If-None-Match": answer.headers["etag"]})
        assert (again.status, again.body) == (304, b"")
        yield answer.json
    finally:
        served.close()


def operations(told: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in told["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def values(node: Any, name: str) -> Iterator[Any]:
    """Every value of that name, however deep."""
    if isinstance(node, dict):
        if name in node:
            yield node[name]
        for each in node.values():
            yield from values(each, name)
    elif isinstance(node, list):
        for each in node:
            yield from values(each, name)


def test_references_lead_somewhere(told: dict[str, Any]) -> None:
    names = set(told["components"]["schemas"])
    found = {each for each in values(told, "$ref") if isinstance(each, str)}
    assert found
    assert {each.removeprefix(REFERENCE.format(name="")) for each in found} <= names


def test_identities_are_unique(told: dict[str, Any]) -> None:
    found = [operation["operationId"] for _, _, operation in operations(told)]
    assert len(found) == len(set(found))


def test_every_operation_is_described(told: dict[str, Any]) -> None:
    """A summary, each variable of its path and, where it takes a body or not, the answers that follow from it."""
    for method, path, operation in operations(told):
        where = f"{method} {path}"
        assert operation["summary"].endswith("."), where
        variables = {each["name"] for each in operation.get("parameters", ()) if each["in"] == "path"}
        assert variables == set(re.findall(r"{(\w+)}", path)), where
        assert all(each["description"] for each in operation.get("parameters", ())), where
        statuses = set(operation["responses"])
        assert any(status.startswith("2") for status in statuses), where
        assert "security" in operation or "401" in statuses, where
        assert "requestBody" not in operation or statuses >= {"400", "413", "415"}, where
        assert "requestBody" not in operation or method in BODIES, where


def test_descriptions_say_nothing_of_our_code(told: dict[str, Any]) -> None:
    for text in values(told, "description"):
        if isinstance(text, str):
            assert "Raises" not in text
            assert "\n" not in text


def test_a_noun(told: dict[str, Any]) -> None:
    """Its limits, filters and searches are in it, and nothing that is written only is answered."""
    schemas = told["components"]["schemas"]
    draft, view = schemas["ThingDraft"], schemas["Thing"]
    assert draft["properties"]["name"] == {
        "type": "string",
        "minLength": 1,
        "maxLength": 20,
        "description": "What it is called.",
    }
    assert draft["required"] == ["name"]
    assert "pin" in draft["properties"]
    assert "pin" not in view["properties"]
    assert "required" not in schemas["ThingPatch"] or schemas["ThingPatch"]["required"] == []
    listed = told["paths"]["/api/v1/paper-things"]["get"]
    names = {each["name"] for each in listed["parameters"]}
    assert names >= {"limit", "cursor", "order", "fields", "q", "colour", "If-None-Match"}
    assert set(listed["responses"]["200"]["content"]) == {
        "application/json",
        "text/csv",
        "application/x-ndjson",
    }
    assert "412" in told["paths"]["/api/v1/paper-things/{uid}"]["patch"]["responses"]
    times = told["paths"]["/api/v1/paper-things/{uid}/said"]["get"]["parameters"]
    assert {each["name"] for each in times} == {"times", "uid"}


def test_of_no_routes() -> None:
    assert document([], "1")["paths"] == {}
