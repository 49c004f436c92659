"""Every route of the API as every role, and as one company on what is another's: no status, body or count tells of it.

The routes are those of the OpenAPI document, the nouns those of the catalogue: what is added is tried with the rest.
How long a refusal takes is measured by ``bench/rights_timing.py``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.administration.catalogue import nouns
from engine.administration.noun import Noun
from engine.domain.actor import Role
from engine.domain.identity import is_uid, new_uid
from tests.admin_api.served import Answer, Served
from tests.admin_api.two_companies import (
    API,
    MAKERS,
    NOBODY,
    ROLES,
    WRITTEN_BY_THE_ENGINE,
    Company,
    TwoCompanies,
)

pytestmark = pytest.mark.slow
OF_ONE = "{uid}"
EACH_HER_OWN = frozenset({"api-tokens"})
"""Nouns of which only an administrator sees those of others."""
OWN = (f"{API}/session",)
"""What is about whoever asks, so that all may."""


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoCompanies]:
    served = Served(Path(tmp_path_factory.mktemp("rights")), "http.source_rate=0", "http.token_rate=0")
    yield TwoCompanies(served)
    served.close()


@pytest.fixture(scope="module")
def catalogue(scene: TwoCompanies) -> dict[str, Noun[Any]]:
    return {each.name: each for each in nouns(scene.served.store)}


def operations(scene: TwoCompanies) -> list[tuple[str, str, dict[str, Any]]]:
    """Method, path and description of every route."""
    return [
        (method.upper(), path, operation)
        for path, methods in scene.paths.items()
        for method, operation in methods.items()
        if isinstance(operation, dict) and method in ("get", "post", "put", "patch", "delete")
    ]


def is_public(operation: dict[str, Any]) -> bool:
    """Whether it is answered without a password."""
    return operation.get("security") == []


def noun_of(scene: TwoCompanies, path: str) -> str | None:
    """The noun a route is of; None for the engine's own."""
    name = path.split("/")[3] if path.count("/") > 2 else ""
    return name if name in scene.nouns else None


def filled(path: str, uid: str) -> str:
    """A path with its variables given."""
    return re.sub(r"{\w+}", uid, path.replace(OF_ONE, uid))


def told(answer: Answer, *uids: str) -> tuple[int, dict[str, str], str]:
    """All that an answer tells, whatever identities it was asked by."""
    text = answer.body.decode()
    for uid in uids:
        text = text.replace(uid, "UID")
    headers = {
        name: value for name, value in answer.headers.items() if name not in ("date", "content-length")
    }
    return answer.status, headers, text


def prefix_of(noun: str, scene: TwoCompanies) -> str:
    """Of the noun's identities."""
    return scene.ours.things[noun][:3]


def test_one_of_every_noun_is_made(scene: TwoCompanies) -> None:
    """A noun that is new says here what one of it is made of, so that it is tried across companies, too."""
    assert set(scene.nouns) == set(scene.ours.things)


def test_without_credentials(scene: TwoCompanies) -> None:
    """Nobody is told anything but to say who she is, whether or not the thing is there."""
    for method, path, operation in operations(scene):
        noun = noun_of(scene, path)
        uid = scene.ours.things.get(noun or "", "x")
        if is_public(operation):
            continue
        for each in (uid, "x"):
            assert scene.ask(None, method, filled(path, each)).status == 401, (method, path)


def test_each_role_on_its_own_company(scene: TwoCompanies, catalogue: dict[str, Noun[Any]]) -> None:
    """Who has the role is not refused for it; who has not is, the same whether or not the thing is there."""
    for method, path, operation in operations(scene):
        name = noun_of(scene, path)
        if name is None or method == "DELETE" or (name in WRITTEN_BY_THE_ENGINE and path != f"{API}/{name}"):
            continue
        kind = kind_of(operation)
        for role in ROLES:
            token = scene.ours.tokens[role]
            mine = scene.ask(token, method, filled(path, scene.ours.things[name]), kind=kind)
            where = (method, path, role, mine.body)
            if Role[role.upper().replace("-", "_")] < least(catalogue[name], method, path):
                assert mine.status == 403, where
                never = scene.ask(token, method, filled(path, "x"), kind=kind)
                assert told(mine, scene.ours.things[name]) == told(never), where
            elif name in WRITTEN_BY_THE_ENGINE and method == "POST":
                assert mine.status == 403, where
            else:
                refusals = {401, 403, 404, 500} - ({404} if name in EACH_HER_OWN else set())
                assert mine.status not in refusals, where


def kind_of(operation: dict[str, Any]) -> str:
    """A media type its body can have."""
    kinds = operation.get("requestBody", {}).get("content", {})
    return next(iter(kinds), "application/json")


def least(noun: Noun[Any], method: str, path: str) -> Role:
    """The role that a route of a noun takes, by what the noun says."""
    verb = path.removeprefix(f"{API}/{noun.name}").removeprefix(f"/{OF_ONE}").strip("/")
    for action in noun.actions:
        if (action.path, action.method, action.of_one) == (verb, method, OF_ONE in path):
            return action.least or (noun.writes if action.writes else noun.reads)
    return noun.reads if method == "GET" else noun.writes


def test_another_companys_things_are_not_there(scene: TwoCompanies) -> None:
    """Status, headers and text are those for an identity that never was: for every route of one thing, as each role."""
    for method, path, operation in operations(scene):
        name = noun_of(scene, path)
        if name is None or OF_ONE not in path:
            continue
        theirs, never = scene.theirs.things[name], new_uid(prefix_of(name, scene))
        for role in ROLES:
            token = scene.ours.tokens[role]
            kind = kind_of(operation)
            there = scene.ask(token, method, filled(path, theirs), kind=kind)
            nowhere = scene.ask(token, method, filled(path, never), kind=kind)
            assert told(there, theirs) == told(nowhere, never), (method, path, role)
            assert there.status in (403, 404, 400), (method, path, role, there.body)


def test_another_companys_things_cannot_be_referred_to(scene: TwoCompanies) -> None:
    """In no field of a body, to make or to change something, and in no filter."""
    for name in scene.nouns:
        if name in WRITTEN_BY_THE_ENGINE:
            continue
        for field, theirs, never in references(scene, name):
            for method, path in (
                ("POST", f"{API}/{name}"),
                ("PATCH", f"{API}/{name}/{scene.ours.things[name]}"),
            ):
                body = dict(scene.ours.bodies[name]) if method == "POST" else {}
                answers = [
                    scene.ask(scene.ours.tokens["administrator"], method, path, {**body, field: value})
                    for value in (theirs, never)
                ]
                assert told(answers[0], *flat(theirs)) == told(answers[1], *flat(never)), (
                    method,
                    path,
                    field,
                )
                assert answers[0].status >= 400, (method, path, field)


def references(scene: TwoCompanies, name: str) -> Iterator[tuple[str, Any, Any]]:
    """Each field of a noun's body that refers to something: with what is theirs, and with what never was."""
    for field, ours in scene.ours.bodies[name].items():
        theirs = scene.theirs.bodies[name][field]
        if any(is_uid(each) for each in flat(ours)):
            never = [new_uid(each[:3]) for each in flat(ours)]
            yield field, theirs, never if isinstance(ours, list) else never[0]


def flat(value: Any) -> list[str]:
    """The texts of a field."""
    return value if isinstance(value, list) else [value] if isinstance(value, str) else []


def test_lists_have_nothing_of_another_company(scene: TwoCompanies, catalogue: dict[str, Noun[Any]]) -> None:
    """Not as a row, not in a row, not in how many there are: by whatever filter, search or order, in every form."""
    foreign = {*scene.theirs.things.values()} - {NOBODY}
    for name in scene.nouns:
        for role in ROLES:
            token = scene.ours.tokens[role]
            for query in ("", "?limit=1", *(f"?order=-{each}" for each in catalogue[name].orders)):
                answer = scene.ask(token, "GET", f"{API}/{name}{query}")
                text = answer.body.decode()
                assert answer.status in (200, 403), (name, role, text)
                assert not [uid for uid in foreign if uid in text], (name, role, query)


def test_filters_find_nothing_of_another_company(
    scene: TwoCompanies, catalogue: dict[str, Noun[Any]]
) -> None:
    """A filter by what is theirs answers as one by what never was."""
    token = scene.ours.tokens["administrator"]
    for name in scene.nouns:
        for field in catalogue[name].filters:
            for noun in {"companies", "domains", "groups", "users", name}:
                uid = scene.theirs.things[noun]
                there = scene.ask(token, "GET", f"{API}/{name}?{field}={uid}")
                nowhere = scene.ask(token, "GET", f"{API}/{name}?{field}={new_uid(uid[:3])}")
                assert told(there, uid)[0::2] == told(nowhere)[0::2], (name, field, there.body)


def test_a_list_counts_ones_own(scene: TwoCompanies) -> None:
    """What another company adds changes no list, not even its ETag."""
    before = {name: listed(scene, scene.ours, name) for name in scene.nouns}
    body = {"login": "another", "domain": scene.theirs.things["domains"]}
    assert scene.ask(scene.theirs.tokens["administrator"], "POST", f"{API}/users", body).status == 201
    assert {name: listed(scene, scene.ours, name) for name in scene.nouns} == before


def listed(scene: TwoCompanies, company: Company, name: str) -> tuple[int, dict[str, str], str]:
    """A list, as a company's administrator sees it."""
    return told(scene.ask(company.tokens["administrator"], "GET", f"{API}/{name}"))


def test_what_is_of_the_whole_engine(scene: TwoCompanies) -> None:
    """Whoever is limited to companies gets nothing of it but that she may not, whatever she asks for."""
    for method, path, operation in operations(scene):
        if is_public(operation) or noun_of(scene, path) is not None or path.startswith(OWN):
            continue
        if path in SEES_ONLY_ITS_OWN:
            continue
        for role in ROLES:
            answers = [
                scene.ask(scene.ours.tokens[role], method, filled(path, each)) for each in ("9001", "x")
            ]
            assert {each.status for each in answers} == {403}, (method, path, role, answers[0].body)
            assert answers[0].body == answers[1].body


EVENTS = f"{API}/events"
SEES_ONLY_ITS_OWN = (f"{API}/openapi.json", EVENTS, f"{EVENTS}/socket")
"""Routes that are no noun's, and ask themselves whose the things are."""


@pytest.mark.parametrize("path", [EVENTS, f"{EVENTS}/socket"])
def test_another_companys_events(scene: TwoCompanies, path: str) -> None:
    """It has no log for who is not of it; one's own tells of nothing but one's own."""
    theirs, never = scene.theirs.things["companies"], new_uid("cmp")
    for role in ROLES:
        token = scene.ours.tokens[role]
        there = scene.ask(token, "GET", f"{path}?company={theirs}&after=0")
        assert there.status >= 400
        assert told(there, theirs) == told(scene.ask(token, "GET", f"{path}?company={never}&after=0"), never)
    text = scene.ask(scene.ours.tokens["read-only"], "GET", f"{EVENTS}?after=0").body.decode()
    assert scene.ours.things["users"] in text
    assert not [uid for uid in scene.theirs.things.values() if uid in text]


def test_a_super_user_sees_both(scene: TwoCompanies) -> None:
    """So that what the others are not shown is there."""
    for name in set(scene.nouns) - WRITTEN_BY_THE_ENGINE:
        for company in (scene.ours, scene.theirs):
            path = f"{API}/{name}/{company.things[name]}"
            assert scene.ask(scene.super_token, "GET", path).status == 200, path


def test_a_scope_opens_one_noun(scene: TwoCompanies) -> None:
    """A token to read users reads them, in its administrator's companies, and nothing else."""
    body = {"name": "reader", "scopes": ["users:read"]}
    made = scene.ask(scene.ours.tokens["administrator"], "POST", f"{API}/api-tokens", body)
    token = made.json["token"]
    for name in scene.nouns:
        answer = scene.ask(token, "GET", f"{API}/{name}")
        assert answer.status == (200 if name == "users" else 403), name
    users = json.loads(scene.ask(token, "GET", f"{API}/users").body)["items"]
    assert {each["company"] for each in users} == {scene.ours.things["companies"]}
    path = f"{API}/users/{scene.ours.things['users']}"
    assert scene.ask(token, "PATCH", path, {"first_name": "Jane"}).status == 403
    assert scene.ask(token, "GET", f"{API}/users/{scene.theirs.things['users']}").status == 404


def test_makers_refer_to_what_is_made_before() -> None:
    """So the scene can be built in its order."""
    made: set[str] = set()
    for noun, body in MAKERS.items():
        named = set(re.findall(r"{([a-z-]+)}", json.dumps(body))) - {"company"}
        assert named <= made, noun
        made.add(noun)
