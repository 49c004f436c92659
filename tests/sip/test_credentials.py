"""Challenges are answered for the configured realm only, the strongest first, twice at most (C5)."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

import sip.credentials
from sip.credentials import Credentials
from sip.digest import Authorization, Challenge, ha1
from sip.errors import Misuse
from sip.message import Request, Response, response_to

REALM = "example.net"


def make_request(cseq: int = 1, call_id: str = "a@b", method: str = "REGISTER", body: bytes = b"") -> Request:
    return Request(
        method,
        "sip:example.net",
        [
            ("Via", "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1"),
            ("From", "<sip:bob@example.net>;tag=1"),
            ("To", "<sip:bob@example.net>"),
            ("Call-ID", call_id),
            ("CSeq", f"{cseq} {method}"),
        ],
        body,
    )


def challenged(request: Request, *challenges: Challenge | str, status: int = 401) -> Response:
    name = "WWW-Authenticate" if status == 401 else "Proxy-Authenticate"
    return response_to(request, status, headers=[(name, str(challenge)) for challenge in challenges])


def make_challenge(
    nonce: str = "n",
    *,
    realm: str = REALM,
    algorithm: str | None = None,
    qop: Sequence[str] = ("auth",),
    stale: bool = False,
) -> Challenge:
    return Challenge(realm, nonce, algorithm, tuple(qop), "opaque", stale)


@pytest.fixture
def credentials() -> Credentials:
    return Credentials(REALM, "bob", "secret", new_cnonce=lambda: "c0")


def answered(credentials: Credentials, request: Request, *challenges: Challenge | str) -> Authorization:
    answer = credentials.answer(challenged(request, *challenges), request, 0.0)
    assert answer is not None
    assert answer[0] == "Authorization"
    header = Authorization.parse(answer[1])
    assert header is not None
    return header


def refuses(credentials: Credentials, request: Request, *challenges: Challenge | str) -> bool:
    return credentials.answer(challenged(request, *challenges), request, 0.0) is None


@pytest.mark.parametrize("algorithm", [None, "MD5", "MD5-sess", "SHA-256", "SHA-256-sess", "SHA-512-256"])
@pytest.mark.parametrize("qop", [("auth",), ("auth-int",), ("auth-int", "auth")])
def test_an_answer_is_right_by_the_servers_own_computation(
    credentials: Credentials, algorithm: str | None, qop: tuple[str, ...]
) -> None:
    request = make_request(body=b"body")
    header = answered(credentials, request, make_challenge(algorithm=algorithm, qop=qop))
    secret = ha1("bob", REALM, "secret", algorithm or "MD5")
    assert header.response == header.expected(secret, "REGISTER", b"body")
    assert header.uri == "sip:example.net"
    assert (header.opaque, header.algorithm) == ("opaque", algorithm)
    assert header.qop == ("auth" if "auth" in qop else "auth-int")


def test_without_qop_the_old_form_is_used(credentials: Credentials) -> None:
    header = answered(credentials, make_request(), make_challenge(qop=()))
    assert (header.qop, header.nc, header.cnonce) == (None, "", "")
    assert header.response == header.expected(ha1("bob", REALM, "secret"), "REGISTER", b"")


def test_a_proxy_is_answered_in_its_own_header(credentials: Credentials) -> None:
    request = make_request()
    answer = credentials.answer(challenged(request, make_challenge(), status=407), request, 0.0)
    assert answer is not None
    assert answer[0] == "Proxy-Authorization"


def test_the_strongest_algorithm_is_taken_wherever_it_stands(credentials: Credentials) -> None:
    header = answered(
        credentials, make_request(), make_challenge("1"), make_challenge("2", algorithm="SHA-256"), "Digest x"
    )
    assert header.nonce == "2"


def test_with_hashes_only_the_algorithms_they_cover_are_answered() -> None:
    credentials = Credentials(REALM, "bob", ha1s={"MD5": ha1("bob", REALM, "secret")})
    header = answered(credentials, make_request(), make_challenge(algorithm="SHA-256"), make_challenge("md5"))
    assert header.nonce == "md5"
    assert header.response == header.expected(ha1("bob", REALM, "secret"), "REGISTER", b"")
    assert refuses(credentials, make_request(call_id="other"), make_challenge(algorithm="SHA-256"))


@pytest.mark.parametrize(
    "challenge",
    [
        make_challenge(realm="evil.example"),
        make_challenge(realm="Example.net"),
        make_challenge(algorithm="AKAv1-MD5"),
        make_challenge(qop=["token"]),
        make_challenge(algorithm="MD5-sess", qop=()),
        "Basic realm=example.net",
        "Digest nothing",
    ],
)
def test_what_is_not_for_us_is_not_answered(credentials: Credentials, challenge: Challenge | str) -> None:
    assert refuses(credentials, make_request(), challenge)


def test_any_realm_is_answered_where_that_was_said() -> None:
    header = answered(Credentials(None, "bob", "secret"), make_request(), make_challenge(realm="pbx"))
    assert header.response == header.expected(ha1("bob", "pbx", "secret"), "REGISTER", b"")


def test_a_second_challenge_without_stale_means_the_password_is_wrong(credentials: Credentials) -> None:
    answered(credentials, make_request(1), make_challenge("1"))
    assert refuses(credentials, make_request(2), make_challenge("2"))


def test_a_stale_nonce_is_replaced_once_and_an_endless_loop_is_left(credentials: Credentials) -> None:
    answered(credentials, make_request(1), make_challenge("1"))
    assert answered(credentials, make_request(2), make_challenge("2", stale=True)).nonce == "2"
    assert refuses(credentials, make_request(3), make_challenge("3", stale=True))


def test_the_next_request_of_the_same_call_id_is_answered_afresh(credentials: Credentials) -> None:
    """CSeq 1 challenged, 2 accepted, 3 is the refresh: it may be challenged again."""
    answered(credentials, make_request(1), make_challenge("1"))
    answered(credentials, make_request(3), make_challenge("2"))


def test_the_nonce_count_rises_when_a_nonce_comes_again(credentials: Credentials) -> None:
    counts = [
        answered(credentials, make_request(call_id=call_id), make_challenge(nonce)).nc
        for call_id, nonce in (("1", "n"), ("2", "n"), ("3", "m"), ("4", "n"))
    ]
    assert counts == ["00000001", "00000002", "00000001", "00000003"]


def test_only_a_challenge_to_the_very_request_is_answered(credentials: Credentials) -> None:
    request = make_request()
    for other in (make_request(call_id="x"), make_request(2), make_request(method="BYE")):
        assert credentials.answer(challenged(other, make_challenge()), request, 0.0) is None
    assert credentials.answer(response_to(request, 403), request, 0.0) is None


def test_memory_is_bounded(credentials: Credentials, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sip.credentials, "REMEMBERED", 5)
    for number in range(20):
        answered(credentials, make_request(call_id=str(number)), make_challenge(str(number)))
    assert len(credentials._answered) == len(credentials._counts) == 5


def test_the_secret_does_not_show() -> None:
    assert "hunter2" not in repr(Credentials(REALM, "bob", "hunter2"))


def test_credentials_need_one_secret_and_hashes_need_a_realm() -> None:
    for arguments in ({}, {"password": "x", "ha1s": {"MD5": "x"}}):
        with pytest.raises(Misuse):
            Credentials(REALM, "bob", **arguments)  # type: ignore[arg-type]
    with pytest.raises(Misuse):
        Credentials(None, "bob", ha1s={"MD5": "x"})
