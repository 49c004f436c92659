"""How much a stranger may draw over UDP (security rules D1 and D5)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sip.message import response_to
from sip.reply_size import MAX_BYTES, MAX_RATIO, fit
from tests.sip.wire import as_response, request

OPTIONAL = [("Server", "s"), ("Allow", "INVITE"), ("Supported", "timer")]


def test_a_small_request_gets_no_optional_headers() -> None:
    """At 199 bytes none, at 200 all."""
    for size, kept in ((199, 0), (200, 3)):
        answer = response_to(request("OPTIONS"), 200, headers=OPTIONAL)
        answer.headers.remove("From")  # to be short enough for either
        data = fit(answer, size)
        assert data is not None
        assert sum(name in as_headers(data) for name, _ in OPTIONAL) == kept


def as_headers(data: bytes) -> str:
    return data.decode()


def test_the_first_challenge_stays() -> None:
    """It is the one we prefer."""
    challenges = [("WWW-Authenticate", f'Digest realm="r", nonce="{"n" * 60}", x={x}') for x in "ab"]
    answer = response_to(request("REGISTER"), 401, headers=challenges)
    data = fit(answer, int((len(answer.serialise()) - 20) / MAX_RATIO))
    assert data is not None
    assert [value[-1] for value in as_response(data).headers.get_all("WWW-Authenticate")] == ["a"]


@given(st.integers(100, 3000), st.integers(0, 2000), st.integers(0, 2000))
def test_never_more_than_allowed(size: int, optional: int, needed: int) -> None:
    """Whatever the answer has; and one that fits is not touched."""
    headers = [("Server", "s" * optional), ("X", "x" * needed)]
    answer = response_to(request("OPTIONS"), 200, headers=headers)
    whole = answer.serialise()
    limit = min(MAX_BYTES, size * MAX_RATIO)
    data = fit(answer, size)
    if data is not None:
        assert len(data) <= limit
    else:
        assert len(whole) > limit
    if len(whole) <= limit and size >= 200:
        assert data == whole
