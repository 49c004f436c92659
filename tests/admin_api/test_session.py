"""Signing in and out, and what each role, token and session may, over real loopback sockets."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyotp
import pytest

from engine.domain.authentication.account import ROLES
from engine.domain.authentication.bearer import digest, new_secret
from engine.domain.identity import new_uid
from engine.domain.scope import DEFAULT_COMPANY
from engine.store.admins import checked_hash
from engine.store.domain.administrator_tables import AdminCompanyRow, AdminRow, ApiTokenRow
from tests.admin_api.served import PASSWORD, USER, Answer, Served

SESSION = "/api/v1/session"
FACTOR = f"{SESSION}/second-factor"
FAR = 4e9
JSON = {"Content-Type": "application/json"}
ROOM = "/api/v1/conferences/9001"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    served = Served(Path(tmp_path_factory.mktemp("session")))
    password_hash = checked_hash(PASSWORD)
    with served.store.database.writing() as session:
        for name in [*ROLES, "limited"]:
            row = AdminRow(
                uid=new_uid("adm"),
                version=1,
                name=name,
                password_hash=password_hash,
                role="administrator" if name == "limited" else name,
                all_companies=name != "limited",
                culture="en",
                enabled=True,
            )
            session.add(row)
            session.flush()
            if name == "limited":
                session.add(AdminCompanyRow(admin_id=row.id, company_id=DEFAULT_COMPANY))
    yield served
    served.close()


def token(served: Served, *scopes: str) -> str:
    """An API token of the first administrator."""
    secret = new_secret("token")
    with served.store.database.writing() as session:
        session.add(
            ApiTokenRow(
                uid=new_uid("tok"),
                version=1,
                admin_id=1,
                name="t",
                digest=digest(secret),
                scopes=list(scopes),
                created_at=1.0,
                expires_at=FAR,
            )
        )
    return secret


def sign_in(served: Served, **fields: Any) -> Answer:
    body = json.dumps({"name": USER, "password": PASSWORD} | fields).encode()
    return served.ask(SESSION, method="POST", body=body, **JSON)


def with_cookie(answer: Answer) -> dict[str, str]:
    return {"Cookie": answer.headers["set-cookie"].partition(";")[0]}


class TestSession:
    def test_by_cookie(self, served: Served) -> None:
        """For a browser: a cookie no script and no other page gets at; a change needs what only our page can read."""
        answer = sign_in(served)
        assert answer.status == 201
        name, *rest = answer.headers["set-cookie"].split("; ")
        assert name.startswith("polyphony-session=polysession_")
        assert set(rest) == {"Path=/", "HttpOnly", "SameSite=Strict"}
        told = answer.json
        assert (told["name"], told["role"], told["all_companies"]) == ("admin:admin", "super", True)
        assert "token" not in told
        cookie = with_cookie(answer)
        assert served.ask(SESSION, **cookie).json == told
        assert served.ask("/api/v1/status", **cookie).status == 200
        change = {"method": "DELETE", **cookie}
        for proof in ({}, {"X-CSRF-Token": ""}, {"X-CSRF-Token": "0" * 64}):
            refused = served.ask(SESSION, **change, **proof)
            assert refused.is_problem(403)
            assert refused.json["reason"] == "origin"
        ended = served.ask(SESSION, **change, **{"X-CSRF-Token": told["csrf"]})
        assert ended.status == 204
        assert "Max-Age=0" in ended.headers["set-cookie"]
        assert served.ask(SESSION, **cookie).is_problem(401)

    def test_by_token(self, served: Served) -> None:
        """For a program: no cookie, and nothing to prove besides."""
        answer = sign_in(served, cookie=False)
        assert "set-cookie" not in answer.headers
        bearer = {"Authorization": f"Bearer {answer.json['token']}"}
        assert served.ask(SESSION, **bearer).json["name"] == "admin:admin"
        assert served.ask(SESSION, method="DELETE", **bearer).status == 204
        assert served.ask(SESSION, **bearer).is_problem(401)

    def test_wrong(self, served: Served) -> None:
        """Nobody learns what was wrong."""
        answers = [
            sign_in(served, name="nobody"),
            sign_in(served, password="guess"),
            sign_in(served, name="ü\0"),
        ]
        assert all(each.is_problem(401) for each in answers)
        assert len({each.body for each in answers}) == 1
        assert all("set-cookie" not in each.headers for each in answers)

    @pytest.mark.parametrize(
        "body",
        [b"", b"[]", b"{}", b'{"name": "admin"}', b'{"name": 1, "password": "x"}', b"\xff", b"[" * 9999],
    )
    def test_what_is_no_sign_in(self, served: Served, body: bytes) -> None:
        assert served.ask(SESSION, method="POST", body=body, **JSON).is_problem(400)

    def test_not_from_another_page(self, served: Served) -> None:
        """Nobody is signed in as somebody else by a page that is not ours."""
        body = json.dumps({"name": USER, "password": PASSWORD}).encode()
        foreign = {"Origin": "https://evil.example"}
        assert served.ask(SESSION, method="POST", body=body, **JSON, **foreign).is_problem(403)
        assert served.ask(SESSION, method="POST", body=body, **{"Content-Type": "text/plain"}).is_problem(415)
        assert served.ask(SESSION, method="POST", body=body, Host="evil.example", **JSON).is_problem(421)

    @pytest.mark.parametrize(
        "cookie", ["", "a=b", "polyphony-session=", "polyphony-session=x", "\x01", "a" * 9000]
    )
    def test_cookies_that_are_none(self, served: Served, cookie: str) -> None:
        assert served.ask(SESSION, Cookie=cookie).is_problem(401)

    def test_no_window_of_the_browser_over_the_console(self, served: Served) -> None:
        """A page's own request is refused without a challenge, which the browser would ask the password for."""
        assert "www-authenticate" not in served.ask(SESSION, **{"Sec-Fetch-Mode": "cors"}).headers
        assert "www-authenticate" in served.ask(SESSION).headers


class TestSecondFactor:
    def test_of_an_administrator(self, served: Served) -> None:
        """Begun, confirmed, asked for by name, and ended; Basic is no way around it."""
        begun = served.ask(f"{FACTOR}", method="POST", user="operator", body=b"{}", **JSON)
        assert begun.status == 201
        assert begun.json["picture"].startswith("<svg")
        clock = pyotp.TOTP(begun.json["secret"])

        def confirm(body: bytes) -> Answer:
            return served.ask(f"{FACTOR}/confirm", method="POST", user="operator", body=body, **JSON)

        assert confirm(b'{"code": "1"}').is_problem(401)
        assert confirm(b"{}").is_problem(400)
        confirmed = confirm(json.dumps({"code": clock.at(time.time())}).encode())
        assert len(confirmed.json["recovery_codes"]) == 10
        refused = [served.ask(SESSION, user="operator"), sign_in(served, name="operator")]
        assert all(each.is_problem(401) and each.json["reason"] == "code" for each in refused)
        recovery = confirmed.json["recovery_codes"]
        opened = sign_in(served, name="operator", code=recovery[0], cookie=False)
        assert opened.status == 201
        bearer = {"Authorization": f"Bearer {opened.json['token']}"}
        body = json.dumps({"code": recovery[1]}).encode()
        assert served.ask(f"{FACTOR}/remove", method="POST", body=body, **bearer, **JSON).status == 204
        assert served.ask(SESSION, user="operator").status == 200

    def test_not_of_a_token(self, served: Served) -> None:
        bearer = {"Authorization": f"Bearer {token(served, '*:write')}"}
        assert served.ask(FACTOR, method="POST", body=b"{}", **bearer, **JSON).is_problem(403)


class TestRights:
    @pytest.mark.parametrize(
        ("role", "acts", "changes"),
        [("read-only", 403, 403), ("operator", 404, 403), ("administrator", 404, 404), ("super", 404, 404)],
    )
    def test_roles(self, served: Served, role: str, acts: int, changes: int) -> None:
        """Everybody reads; operators act on what is live; administrators change what there is. 404: it is not there."""
        assert served.ask("/api/v1/status", user=role).status == 200
        assert served.ask(ROOM + "/live/lock", method="POST", user=role, body=b"{}", **JSON).is_problem(acts)
        assert served.ask(ROOM, method="PATCH", user=role, body=b"{}", **JSON).is_problem(changes)

    def test_what_is_of_every_company_alike(self, served: Served) -> None:
        """It is not for whoever may see some of them only."""
        assert served.ask(SESSION, user="limited").json["all_companies"] is False
        for path in (
            "/api/v1/status",
            "/api/v1/links",
            "/api/v1/status/lines",
            "/metrics",
            "/api/v1/conferences",
        ):
            answer = served.ask(path, user="limited")
            assert answer.is_problem(403)
            assert answer.json["reason"] == "forbidden"

    @pytest.mark.parametrize(
        ("scope", "reads", "changes"),
        [
            ("conferences:read", 200, 403),
            ("conferences:write", 200, 404),
            ("*:read", 200, 403),
            ("*:write", 200, 404),
            ("status:write", 403, 403),
        ],
    )
    def test_scopes(self, served: Served, scope: str, reads: int, changes: int) -> None:
        """A token may what it says, of that noun; writing includes reading."""
        bearer = {"Authorization": f"Bearer {token(served, scope)}"}
        assert served.ask("/api/v1/conferences", **bearer).status == reads
        assert served.ask(ROOM, method="PATCH", body=b"{}", **bearer, **JSON).status == changes
        assert served.ask(SESSION, **bearer).json["scopes"] == [scope]
