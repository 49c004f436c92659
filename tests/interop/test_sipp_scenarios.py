"""The engine against SIPp: the exchanges that phones and PBXs rarely do and standards always ask for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from engine.softphone.settings import SoftphoneError
from tests.interop.engine_process import Engine
from tests.interop.phone import Phone
from tests.interop.sipp import Sipp

pytestmark = [pytest.mark.needs("sipp")]

ECHO, LOOP, ONCE = "5000", "7000", "7001"
LINE, OTHER_LINE, PASSWORD = "1001", "1002", "a-long-password"
LINK_HOST = "127.0.0.2"  # not the callers' address: what comes from there is the link's, not a line's
LINK_PASSWORD = "the-links-password"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An engine with two lines; MD5 comes first in its challenges, because SIPp reads no further."""
    settings = {"sip.digest_algorithms": '["MD5", "SHA-256"]'}
    with Engine(Path(tmp_path_factory.mktemp("engine")), settings) as engine:
        engine.add_line(LINE, PASSWORD)
        engine.add_line(OTHER_LINE, PASSWORD)
        yield engine


def line(folder: Path, engine: Engine, number: str, **settings: object) -> Phone:
    """A phone of that line, not started."""
    return Phone(
        folder,
        f"line-{number}",
        uri=f"sip:{number}@{engine.ready.address()}",
        registrar=engine.uri(),
        user=number,
        password=PASSWORD,
        **settings,
    )


@pytest.mark.parametrize("number", [ECHO, LOOP])
@pytest.mark.parametrize(
    "scenario",
    [
        "prack",
        "update",
        "hold",
        "late_offer",
        "cancel_crossing",
        "session_refresh_by_us",
        "session_interval_too_small",
        "replaces",
        "replaces_unknown",
    ],
)
def test_caller(served: Engine, tmp_path: Path, scenario: str, number: str) -> None:
    """SIPp calls one of our automates."""
    run = Sipp(tmp_path, scenario, remote=served.ready.address(), service=number, timeout=10).run()
    run.check()


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_many_callers_at_once(served: Engine, tmp_path: Path, transport: str) -> None:
    """SIPp's own caller, 200 calls at 50 a second, all well."""
    sipp = Sipp(
        tmp_path,
        "uac",
        remote=served.ready.address(transport),
        service=ECHO,
        transport=transport,
        calls=200,
        rate=50,
        duration_ms=100,
        trace=False,
    )
    sipp.run().check(200)


def test_refer_with_replaces(served: Engine, tmp_path: Path) -> None:
    """Two calls to us joined by REFER with Replaces: reported as 200, and both are ended by us."""
    Sipp(
        tmp_path,
        "refer_replaces",
        remote=served.ready.address(),
        service=ECHO,
        timeout=10,
        keys={"target": ECHO},
    ).run().check()


@pytest.mark.slow
@pytest.mark.parametrize("scenario", ["session_refresh_by_them", "glare"])
def test_our_refresh(served: Engine, tmp_path: Path, scenario: str) -> None:
    """When we are the refresher we refresh at half the interval, and survive a re-INVITE that crosses ours."""
    Sipp(tmp_path, scenario, remote=served.ready.address(), service=LOOP, timeout=75).run().check()


def test_a_line_proves_itself(served: Engine, tmp_path: Path) -> None:
    """A line's number is challenged with 401, even from an accepted network, and then answered."""
    Sipp(
        tmp_path,
        "auth",
        remote=served.ready.address(),
        service=ECHO,
        user=LINE,
        password=PASSWORD,
        keys={"caller": LINE},
        timeout=10,
    ).run().check()


def test_a_wrong_password_is_never_answered(served: Engine, tmp_path: Path) -> None:
    """It is challenged again."""
    Sipp(
        tmp_path,
        "auth_wrong",
        remote=served.ready.address(),
        service=ECHO,
        user=OTHER_LINE,
        password="guess",
        keys={"caller": OTHER_LINE},
        timeout=10,
    ).run().check()


def test_a_cancelled_call_between_lines(served: Engine, tmp_path: Path) -> None:
    """The caller cancels while the other line rings: 487 to it, and the ringing stops."""
    with line(tmp_path, served, OTHER_LINE, answer_with=180) as ringing:
        ringing.register()
        Sipp(
            tmp_path,
            "cancel",
            remote=served.ready.address(),
            service=OTHER_LINE,
            user=LINE,
            password=PASSWORD,
            keys={"caller": LINE},
            timeout=10,
        ).run().check()
        ringing.wait_for("disconnected")


# calls we make: from a line over a link to SIPp -----------------------------------------------------------------


def over_the_link(
    served: Engine,
    tmp_path: Path,
    scenario: str,
    *,
    seconds: float = 0.5,
    keys: Mapping[str, str] | None = None,
) -> str:
    """A line calls a number behind a link to SIPp; how it went for the caller. SIPp's side must be right."""
    name = f"link-{scenario.replace('_', '-')}"
    patience = seconds + 10
    with Sipp(tmp_path, scenario, host=LINK_HOST, calls=0, timeout=patience, keys=keys) as sipp:
        served.cli(
            "links", "add", name, "--host", LINK_HOST, "--port", str(sipp.port), "--no-register",
            "--route", "9", "--realm", "pbx.test", "--user", "polyphony",
            "--password-file", served.password_file(LINK_PASSWORD),
        )  # fmt: skip
        try:
            with line(tmp_path, served, LINE) as phone:
                phone.call(served.uri("9123"))
                try:
                    fate = phone.wait_for("confirmed").state
                    phone.rest(seconds)
                    phone.hangup()
                except SoftphoneError as error:
                    fate = str(error)
            sipp.finish().check(calls=None)
        finally:
            served.cli("links", "remove", name)
    return fate


def test_a_call_over_a_link(served: Engine, tmp_path: Path) -> None:
    """A line reaches a number behind a link."""
    assert over_the_link(served, tmp_path, "uas_answer") == "confirmed"


def test_302_is_followed(served: Engine, tmp_path: Path) -> None:
    """Our call is redirected, and answered where it was sent."""
    assert over_the_link(served, tmp_path, "uas_redirect") == "confirmed"


def test_401_is_answered(served: Engine, tmp_path: Path) -> None:
    """Our call is challenged, and proves itself with the link's credentials."""
    keys = {"username": "polyphony", "password": LINK_PASSWORD}
    assert over_the_link(served, tmp_path, "uas_challenge", keys=keys) == "confirmed"


def test_a_reliable_183_is_acknowledged(served: Engine, tmp_path: Path) -> None:
    """Our call gets a reliable provisional answer, sends PRACK, and is connected."""
    assert over_the_link(served, tmp_path, "uas_prack") == "confirmed"


def test_busy_is_told(served: Engine, tmp_path: Path) -> None:
    """486 behind the link is 486 for the line."""
    assert over_the_link(served, tmp_path, "uas_busy").startswith("486")


def test_our_call_is_cancelled(served: Engine, tmp_path: Path) -> None:
    """The line gives up while it rings behind the link: CANCEL there, 487 here."""
    with Sipp(tmp_path, "uas_cancelled", host=LINK_HOST, calls=0, timeout=10) as sipp:
        served.cli(
            "links", "add", "ringing", "--host", LINK_HOST, "--port", str(sipp.port), "--no-register",
            "--route", "9",
        )  # fmt: skip
        try:
            with line(tmp_path, served, LINE) as phone:
                phone.call(served.uri("9123"))
                phone.wait_for("early")
                phone.hangup()
                assert phone.status().status == 487
            sipp.finish().check(calls=None)
        finally:
            served.cli("links", "remove", "ringing")


@pytest.mark.slow
def test_our_call_is_refreshed_by_us(served: Engine, tmp_path: Path) -> None:
    """The answer makes us the refresher every 90 s: we refresh at 45 s."""
    assert over_the_link(served, tmp_path, "uas_session_timer", seconds=50) == "confirmed"
