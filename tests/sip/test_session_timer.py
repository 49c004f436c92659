"""The arithmetic of session timers (RFC 4028)."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip.errors import ParseError
from sip.message import Request, Response
from sip.session_timer import SessionExpires, SessionTimer, read_min_se


def request(**headers: str) -> Request:
    return Request("INVITE", "sip:x@y", [(name.replace("_", "-"), value) for name, value in headers.items()])


def response(**headers: str) -> Response:
    return Response(200, "", [(name.replace("_", "-"), value) for name, value in headers.items()])


def agreed(timer: SessionTimer, **headers: str) -> tuple[int | None, bool, dict[str, str]]:
    answer = dict(timer.take_request(request(**headers)))
    return timer.interval, timer.we_refresh, answer


def test_values() -> None:
    assert SessionExpires.parse("1800") == SessionExpires(1800)
    assert SessionExpires.parse("90 ; Refresher=UAS;x=1") == SessionExpires(90, "uas")
    assert str(SessionExpires(90, "uas")) == "90;refresher=uas"
    assert str(SessionExpires(90)) == "90"


@pytest.mark.parametrize("text", ["", "x", "-5", "1_0", "2147483648", "90;refresher=both", "90;refresher"])
def test_unreadable_values(text: str) -> None:
    with pytest.raises(ParseError):
        SessionExpires.parse(text)


@given(st.text(max_size=40))
def test_any_text_is_a_value_or_typed(text: str) -> None:
    with contextlib.suppress(ParseError):
        value = SessionExpires.parse(text)
        assert SessionExpires.parse(str(value)) == value


def test_the_moments() -> None:
    """Section 10: refresh at half, BYE min(32, a third) before the end."""
    timer = SessionTimer(0)
    for seconds, refresh, expire in ((90, 45, 60), (96, 48, 64), (1800, 900, 1768)):
        timer.take_response(response(Session_Expires=f"{seconds};refresher=uac"))
        assert (timer.refresh_after, timer.expire_after) == (refresh, expire)


class TestRequesting:
    def test_headers_before_and_after_agreement(self) -> None:
        timer = SessionTimer(1800)
        assert timer.request_headers() == [("Session-Expires", "1800")]
        timer.take_response(response(Session_Expires="1200;refresher=uas"))
        assert timer.request_headers() == [("Session-Expires", "1200;refresher=uas")]
        assert not timer.we_refresh

    def test_nothing_is_asked_when_none_is_wanted(self) -> None:
        assert SessionTimer(0).request_headers() == []
        assert SessionTimer(0, 300).request_headers() == [("Min-SE", "300")]

    def test_what_is_wanted_is_not_below_our_minimum(self) -> None:
        assert SessionTimer(10).request_headers() == [("Session-Expires", "90")]

    @pytest.mark.parametrize(
        "headers", [{}, {"Session_Expires": "junk"}, {"Session_Expires": "30;refresher=uac"}]
    )
    def test_a_response_without_a_usable_interval_stops_the_timer(self, headers: dict[str, str]) -> None:
        timer = SessionTimer(1800)
        timer.take_response(response(Session_Expires="1800;refresher=uac"))
        timer.take_response(response(**headers))
        assert timer.interval is None

    def test_a_response_without_refresher_leaves_it_to_the_one_who_asked(self) -> None:
        timer = SessionTimer(1800)
        timer.take_response(response(Session_Expires="1800"))
        assert timer.we_refresh

    def test_422_raises_what_we_ask_for(self) -> None:
        timer = SessionTimer(100)
        assert timer.too_small(response(Min_SE="200"))
        assert timer.request_headers() == [("Session-Expires", "200"), ("Min-SE", "200")]
        assert not timer.too_small(response(Min_SE="200"))
        assert not timer.too_small(response(Min_SE="x"))
        assert not timer.too_small(response())


class TestAnswering:
    def test_a_short_interval_is_refused_only_to_who_knows_timers(self) -> None:
        timer = SessionTimer(1800, 300)
        assert timer.refuses(request(Session_Expires="299", Supported="timer")) == 300
        assert timer.refuses(request(Session_Expires="300", Supported="timer")) is None
        assert timer.refuses(request(Session_Expires="299")) is None
        assert timer.refuses(request(Supported="timer")) is None

    def test_unreadable_headers_are_bad_requests(self) -> None:
        for headers in ({"Session_Expires": "x"}, {"Min_SE": "x"}):
            with pytest.raises(ParseError):
                SessionTimer(1800).refuses(request(**headers))

    @pytest.mark.parametrize(
        ("wanted", "headers", "interval", "we_refresh", "answer"),
        [
            (0, {"Supported": "timer"}, None, False, {}),
            (0, {}, None, False, {}),
            (1800, {}, None, False, {}),
            (
                1800,
                {"Supported": "timer"},
                1800,
                False,
                {"Session-Expires": "1800;refresher=uac", "Require": "timer"},
            ),
            (
                600,
                {"Supported": "timer", "Session_Expires": "1800"},
                600,
                False,
                {"Session-Expires": "600;refresher=uac", "Require": "timer"},
            ),
            (
                600,
                {"Supported": "timer", "Session_Expires": "1800", "Min_SE": "900"},
                900,
                False,
                {"Session-Expires": "900;refresher=uac", "Require": "timer"},
            ),
            (
                1800,
                {"Supported": "timer", "Session_Expires": "600"},
                600,
                False,
                {"Session-Expires": "600;refresher=uac", "Require": "timer"},
            ),
            (
                0,
                {"Supported": "timer", "Session_Expires": "600;refresher=uas"},
                600,
                True,
                {"Session-Expires": "600;refresher=uas"},
            ),
            (
                1800,
                {"Session_Expires": "600;refresher=uac"},
                600,
                True,
                {"Session-Expires": "600;refresher=uas"},
            ),
            (1800, {"Session_Expires": "30"}, None, False, {}),
            (
                1800,
                {"Require": "timer", "Min_SE": "3600"},
                3600,
                False,
                {"Session-Expires": "3600;refresher=uac", "Require": "timer"},
            ),
        ],
    )
    def test_table_2(
        self,
        wanted: int,
        headers: dict[str, str],
        interval: int | None,
        we_refresh: bool,
        answer: dict[str, str],
    ) -> None:
        """Section 9: who refreshes, and how long."""
        assert agreed(SessionTimer(wanted), **headers) == (interval, we_refresh, answer)

    @given(st.integers(0, 4000), st.integers(90, 4000), st.integers(90, 4000))
    def test_the_interval_is_never_made_longer(self, wanted: int, asked: int, minimum: int) -> None:
        timer = SessionTimer(wanted)
        timer.take_request(request(Supported="timer", Session_Expires=str(asked), Min_SE=str(minimum)))
        assert timer.interval is not None
        assert 90 <= timer.interval <= asked
        assert timer.interval >= min(minimum, asked)


def test_min_se() -> None:
    assert read_min_se(request()) == 90
    assert read_min_se(request(Min_SE="10")) == 90
    assert read_min_se(request(Min_SE="120;x=y")) == 120
