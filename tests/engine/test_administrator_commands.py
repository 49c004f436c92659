"""``polyphony administrators``, ``api-tokens`` and ``login-methods``, on a store."""

from __future__ import annotations

from pathlib import Path

import pyotp

from engine.data_directory import DataDirectory
from engine.domain.authentication.bearer import digest
from engine.store import Store
from engine.store.passwords import password_matches
from tests.engine.test_noun_commands import Terminal

SUPER = ("administrators", "add", "--role", "super", "--companies", "null")


def test_from_a_password_to_its_reset(tmp_path: Path) -> None:
    """Whoever may read the data directory makes administrators, tokens and methods, and takes lost codes away."""
    data, password = tmp_path / "data", tmp_path / "password"
    DataDirectory(data).prepare()
    terminal = Terminal(data)
    password.write_text("correct horse\n")
    root = terminal.told(*SUPER, "--name", "root", "--password-file", str(password))
    assert (root["role"], root["companies"], root["has_second_factor"]) == ("super", None, False)
    (company,) = terminal.told("companies", "list")
    jane = terminal.told(
        *("administrators", "add", "--name", "jane", "--password-file", str(password)),
        *("--role", "operator", "--companies", company["uid"]),
    )
    assert jane["companies"] == [company["uid"]]
    token = terminal.told(
        *("api-tokens", "add", "--name", "report", "--administrator", jane["uid"]),
        *("--scopes", "users:read,conferences:write"),
    )
    assert token["scopes"] == ["conferences:write", "users:read"]
    assert terminal.told("api-tokens", "show", token["uid"])["token"] is None
    method = terminal.told("login-methods", "add", "--kind", "local")
    assert (method["kind"], method["user"], method["company"]) == ("local", None, company["uid"])
    refused = terminal.type("login-methods", "add", "--kind", "none")
    assert refused.exit_code != 0
    assert "forced" in refused.output
    store = Store(f"sqlite:///{data / 'store.sqlite3'}")
    store.open()
    account = store.admins.get("jane")
    assert account is not None
    found = store.api_tokens.find(digest(token["token"]))
    assert found is not None
    assert found.account == account
    secret = store.second_factors.begin(account.id)
    assert store.second_factors.confirm(account.id, pyotp.TOTP(secret).at(9000), 9000.0, "local", jane["uid"])
    assert terminal.type("administrators", "remove-second-factor", jane["uid"]).exit_code == 0
    assert not store.second_factors.is_needed(account.id)
    assert "no second factor" in terminal.type("administrators", "remove-second-factor", jane["uid"]).output
    password.write_text("battery staple\n")
    terminal.told("administrators", "set", jane["uid"], "--password-file", str(password))
    account = store.admins.get("jane")
    assert account is not None
    assert password_matches("battery staple", account.password_hash)
    store.close()
