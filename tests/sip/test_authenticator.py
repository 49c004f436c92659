"""Digest as a server: who gets in, and what those learn who do not (security reference C3, C4)."""

from __future__ import annotations

from dataclasses import replace

import pytest

import sip.digest
from sip.authenticator import Authenticated, Authenticator, Challenged, Reason, Refused, Silenced
from sip.credentials import Credentials
from sip.digest import Authorization, ha1
from sip.message import Request, response_to
from sip.nonce import LIFETIME, NonceSource
from tests.sip.test_credentials import make_request

REALM = "example.net"
HOST = "192.0.2.1"
USERS = {"bob": {name: ha1("bob", REALM, "secret", name) for name in ("MD5", "SHA-256")}}


@pytest.fixture
def authenticator() -> Authenticator:
    return Authenticator(REALM, USERS.get, NonceSource(b"key", REALM))


def challenge_of(
    authenticator: Authenticator, request: Request, now: float = 0.0, source: str = HOST
) -> Challenged:
    outcome = authenticator.check(request, now, source)
    assert isinstance(outcome, Challenged)
    return outcome


def sign(
    authenticator: Authenticator,
    request: Request,
    *,
    user: str = "bob",
    password: str = "secret",
    now: float = 0.0,
    source: str = HOST,
    **changes: str | None,
) -> Request:
    """Fetch a challenge for the request, and answer it in a repeated one; ``changes`` falsify the answer."""
    challenge = challenge_of(authenticator, request, now, source)
    response = response_to(request, challenge.status, headers=challenge.headers)
    answer = Credentials(REALM, user, password).answer(response, request, now)
    assert answer is not None
    repeated = request.copy()
    header = Authorization.parse(answer[1])
    assert header is not None
    repeated.headers.set(answer[0], str(replace(header, **changes)))  # type: ignore[arg-type]
    return repeated


def test_a_request_without_credentials_is_challenged_with_sha_256_first(authenticator: Authenticator) -> None:
    challenge = challenge_of(authenticator, make_request())
    assert (challenge.status, challenge.reason, challenge.stale) == (401, Reason.NO_CREDENTIALS, False)
    assert [name for name, _ in challenge.headers] == ["WWW-Authenticate", "WWW-Authenticate"]
    assert ["algorithm=SHA-256" in value for _, value in challenge.headers] == [True, False]


def test_the_right_password_gets_in(authenticator: Authenticator) -> None:
    assert authenticator.check(sign(authenticator, make_request()), 1.0, HOST) == Authenticated("bob")


def test_a_proxy_challenges_with_407() -> None:
    authenticator = Authenticator(
        REALM, USERS.get, NonceSource(b"key", REALM), proxy=True, algorithms=["MD5"]
    )
    challenge = challenge_of(authenticator, make_request())
    assert (challenge.status, challenge.headers[0][0]) == (407, "Proxy-Authenticate")
    assert authenticator.check(sign(authenticator, make_request()), 0.0, HOST) == Authenticated("bob")


def test_auth_int_covers_the_body_where_it_is_offered() -> None:
    authenticator = Authenticator(REALM, USERS.get, NonceSource(b"key", REALM), qop=["auth-int"])
    request = sign(authenticator, make_request(body=b"hello"))
    changed = request.copy()
    changed.body = b"hellO"
    assert challenge_of(authenticator, changed).reason is Reason.WRONG
    assert authenticator.check(request, 0.0, HOST) == Authenticated("bob")


@pytest.mark.parametrize("changes", [{"user": "eve"}, {"password": "wrong"}, {"response": "00" * 32}])
def test_a_wrong_password_and_an_unknown_user_are_answered_alike(
    authenticator: Authenticator, changes: dict[str, str]
) -> None:
    challenge = challenge_of(authenticator, sign(authenticator, make_request(), **changes))  # type: ignore[arg-type]
    assert (challenge.reason, challenge.stale) == (Reason.WRONG, False)


def test_a_user_without_a_hash_for_the_algorithm_does_not_get_in() -> None:
    users = {"bob": {"MD5": USERS["bob"]["MD5"]}}
    authenticator = Authenticator(REALM, users.get, NonceSource(b"key", REALM))
    assert challenge_of(authenticator, sign(authenticator, make_request())).reason is Reason.WRONG


def test_an_old_nonce_is_stale_and_its_successor_good(authenticator: Authenticator) -> None:
    request = sign(authenticator, make_request())
    challenge = challenge_of(authenticator, request, LIFETIME + 1)
    assert (challenge.reason, challenge.stale) == (Reason.STALE, True)
    assert all("stale=true" in value for _, value in challenge.headers)


def test_a_captured_request_is_good_once(authenticator: Authenticator) -> None:
    request = sign(authenticator, make_request())
    assert authenticator.check(request, 0.0, HOST) == Authenticated("bob")
    challenge = challenge_of(authenticator, request)
    assert (challenge.reason, challenge.stale) == (Reason.REPLAYED, True)


def test_a_captured_request_is_worth_nothing_from_another_host(authenticator: Authenticator) -> None:
    request = sign(authenticator, make_request())
    assert challenge_of(authenticator, request, 0.0, "203.0.113.9").reason is Reason.FORGED


def test_a_nonce_that_is_not_ours_tells_nothing_about_the_password(authenticator: Authenticator) -> None:
    """Else forged nonces would be a way to try passwords that nobody counts."""
    outcomes = []
    for password in ("secret", "wrong"):
        request = make_request()
        made_up = Authorization("bob", REALM, "A" * 36, request.uri, "", "MD5", "auth", "00000001", "c")
        secret = ha1("bob", REALM, password)
        signed = replace(made_up, response=made_up.expected(secret, request.method, b""))
        request.headers.set("Authorization", str(signed))
        challenge = challenge_of(authenticator, request)
        outcomes.append((challenge.reason, challenge.stale))
    assert outcomes == [(Reason.FORGED, True)] * 2


@pytest.mark.parametrize(
    "changes",
    [
        {"algorithm": "SHA-512-256"},
        {"algorithm": "MD5-sess"},
        {"algorithm": "X"},
        {"qop": "auth-int"},
        {"qop": "x"},
    ],
)
def test_an_algorithm_or_qop_that_was_not_offered_is_not_taken(
    authenticator: Authenticator, changes: dict[str, str]
) -> None:
    request = sign(authenticator, make_request(), **changes)  # type: ignore[arg-type]
    assert challenge_of(authenticator, request).reason is Reason.NOT_OFFERED


@pytest.mark.parametrize("uri", ["sip:example.org", "sip:eve@example.net", "nonsense"])
def test_an_answer_for_another_request_uri_is_refused(authenticator: Authenticator, uri: str) -> None:
    request = sign(authenticator, make_request(), uri=uri)
    assert authenticator.check(request, 0.0, HOST) == Refused(400, "digest_uri")


def test_another_spelling_of_the_request_uri_is_the_same(authenticator: Authenticator) -> None:
    plain = make_request()
    request = make_request()
    request.uri = "sip:EXAMPLE.net"
    request.headers.set("Authorization", sign(authenticator, plain).headers.get("Authorization") or "")
    assert authenticator.check(request, 0.0, HOST) == Authenticated("bob")


def test_a_broken_answer_and_two_answers_are_refused(authenticator: Authenticator) -> None:
    request = make_request()
    request.headers.set("Authorization", "Digest username=x")
    assert authenticator.check(request, 0.0, HOST) == Refused(400, "digest_incomplete")
    twice = sign(authenticator, make_request())
    twice.headers.add("Authorization", twice.headers.get("Authorization") or "")
    assert authenticator.check(twice, 0.0, HOST) == Refused(400, "digest_repeated")


def test_an_answer_for_another_realm_or_scheme_does_not_count(authenticator: Authenticator) -> None:
    request = sign(authenticator, make_request(), realm="example.org")
    request.headers.add("Authorization", "Basic Ym9iOng=")
    assert challenge_of(authenticator, request).reason is Reason.NO_CREDENTIALS


def test_guessing_ends_in_silence_also_for_the_right_password(authenticator: Authenticator) -> None:
    for _ in range(9):
        assert (
            challenge_of(authenticator, sign(authenticator, make_request(), password="x")).reason
            is Reason.WRONG
        )
    right = sign(authenticator, make_request())
    assert authenticator.check(sign(authenticator, make_request(), password="x"), 0.0, HOST) == Silenced()
    assert authenticator.check(right, 1.0, HOST) == Silenced()
    assert authenticator.check(right, 61.0, HOST) == Authenticated("bob")


def test_forged_sources_cannot_silence_the_true_user(authenticator: Authenticator) -> None:
    """A stranger writes the victim's address on his packets, but never sees the nonce sent there."""
    caught = sign(authenticator, make_request(), password="x", source="203.0.113.9")
    for _ in range(100):
        assert challenge_of(authenticator, caught, 0.0, HOST).reason is Reason.FORGED
    assert authenticator.check(sign(authenticator, make_request()), 0.0, HOST) == Authenticated("bob")


def test_an_unknown_user_costs_what_a_known_one_costs(
    authenticator: Authenticator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted in octets hashed: a clock would measure the machine's other work too."""
    hashed: list[int] = []

    def counted(base: str, text: str) -> str:
        hashed.append(len(text))
        return "0" * 64

    requests = [
        sign(authenticator, make_request(), user=user, password="x", cnonce="c") for user in ("bob", "eve")
    ]
    monkeypatch.setattr(sip.digest, "_hash", counted)
    spent = []
    for request in requests:
        hashed.clear()
        assert challenge_of(authenticator, request).reason is Reason.WRONG
        spent.append(list(hashed))
    assert spent[0] == spent[1] != []
