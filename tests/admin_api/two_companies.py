"""Two companies with one of each noun, and administrators of every role, on a served API: who must not see whom."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from engine.administration.catalogue import nouns
from tests.admin_api.served import PASSWORD, USER, Answer, Served

API = "/api/v1"
NOBODY = "xyz_22222222222222222222"
ROLES = ("read-only", "operator", "administrator")


@dataclass(slots=True)
class Company:
    """The identities of a company's things by noun, the bodies they were made of, and a way to ask for each role."""

    name: str
    things: dict[str, str] = field(default_factory=dict)
    bodies: dict[str, dict[str, Any]] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)


MAKERS: dict[str, dict[str, Any]] = {
    "companies": {"name": "{company}"},
    "domains": {"name": "main", "company": "{companies}"},
    "groups": {"name": "sales", "domain": "{domains}"},
    "users": {"login": "jane", "domain": "{domains}"},
    "memberships": {"group": "{groups}", "member": "{users}"},
    "lines": {"number": "200", "domain": "{domains}", "user": "{users}"},
    "dial-rules": {"domain": "{domains}", "priority": 900, "pattern": "9", "result": "00"},
    "administrators": {
        "name": "{company}-jim",
        "password": PASSWORD,
        "role": "administrator",
        "companies": ["{companies}"],
    },
    "api-tokens": {"name": "script", "scopes": ["users:read"], "administrator": "{administrators}"},
    "authorisations": {"grantee": "{users}", "kind": "calendar", "object": "{groups}"},
    "parameters": {"owner": "{users}", "name": "recorder.beep", "value": 30},
    "user-imports": {
        "name": "people",
        "kind": "csv",
        "fields": {"login": "login"},
        "mode": "update",
        "domain": "{domains}",
        "group": "{groups}",
    },
    "user-import-runs": {"user_import": "{user-imports}", "dry_run": True, "csv": "login\njane\n"},
    "login-methods": {"kind": "local", "domain": "{domains}"},
    "webhooks": {
        "name": "crm",
        "url": "https://example.com/told",
        "secret": "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        "company": "{companies}",
    },
    "quotas": {"company": "{companies}", "application": "echo", "channels": 3},
}
"""What one of each noun is made of; a name in braces stands for the company's thing of that noun. In an order in which
what is referred to comes first."""

WRITTEN_BY_THE_ENGINE = frozenset({"audit", "calls", "user-import-outcomes", "webhook-dead-letters"})
"""Nouns nobody makes one of: only that nobody does, and who may read them, is tried."""


class TwoCompanies:
    """The scene. super_token: of who sees all."""

    def __init__(self, served: Served) -> None:
        self.served = served
        self.super_token = self.sign_in(USER)
        document = self.ask(self.super_token, "GET", f"{API}/openapi.json").json
        self.paths: dict[str, dict[str, Any]] = document["paths"]
        self.nouns = [each.name for each in nouns(served.store)]
        self.ours, self.theirs = Company("ours"), Company("theirs")
        for company in (self.ours, self.theirs):
            for noun in MAKERS:
                if noun in self.nouns:
                    self._make(company, noun)
            company.things |= dict.fromkeys(WRITTEN_BY_THE_ENGINE & set(self.nouns), NOBODY)
            for role in ROLES:
                self._administrator(company, role)

    def ask(
        self, token: str | None, method: str, path: str, body: object = None, kind: str = "application/json"
    ) -> Answer:
        """As whoever has that token, or nobody."""
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        data = None
        if method not in ("GET", "DELETE"):
            headers["Content-Type"] = kind
            data = json.dumps({} if body is None else body).encode()
        return self.served.ask(path, method=method, body=data, **headers)

    def sign_in(self, name: str) -> str:
        """A session without a cookie."""
        body = {"name": name, "password": PASSWORD, "cookie": False}
        token: str = self.ask(None, "POST", f"{API}/session", body).json["token"]
        return token

    def body_of(self, company: Company, noun: str) -> dict[str, Any]:
        """What one of that noun is made of in a company."""
        return {name: _filled(value, company) for name, value in MAKERS[noun].items()}

    def _make(self, company: Company, noun: str) -> None:
        body = company.bodies[noun] = self.body_of(company, noun)
        answer = self.ask(self.super_token, "POST", f"{API}/{noun}", body)
        assert answer.status == 201, (noun, answer.body)
        company.things[noun] = answer.json["uid"]

    def _administrator(self, company: Company, role: str) -> None:
        name = f"{company.name}-{role}"
        body = {
            "name": name,
            "password": PASSWORD,
            "role": role,
            "companies": [company.things["companies"]],
        }
        answer = self.ask(self.super_token, "POST", f"{API}/administrators", body)
        assert answer.status == 201, answer.body
        company.tokens[role] = self.sign_in(name)


def _filled(value: Any, company: Company) -> Any:
    match value:
        case str():
            return value.format(company=company.name, **company.things)
        case list():
            return [_filled(each, company) for each in value]
    return value
