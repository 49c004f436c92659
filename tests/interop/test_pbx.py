"""Kamailio as the PBX: a hundred automates register on it, are called through it, and outlive its crashes."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from engine.softphone.examination import PROMPTS
from tests.interop import sound
from tests.interop.engine_process import Engine
from tests.interop.kamailio import REALM, Kamailio, Registration
from tests.interop.phone import Phone

pytestmark = [pytest.mark.needs("kamailio"), pytest.mark.slow]

NUMBERS = {str(number) for number in range(3000, 3100)}
AUTOMATES_PASSWORD = "one-for-the-whole-range"
PHONE = "1001"
WELCOME = PROMPTS / "en" / "welcome.wav"
BACK_WITHIN = 30.0
NOTICED_WITHIN = 30.0
MOST_A_SECOND = 70  # 25 registrations, each challenged once, with what a second's edges and the feelers add
MOST_IN_ALL = 250
MOST_EACH = 8  # of an automate that was a feeler; the others need two

log = logging.getLogger(__name__)  # the figures: --log-cli-level=INFO shows them


class World(NamedTuple):
    """A PBX and an engine whose automates 3000 to 3099 register there."""

    pbx: Kamailio
    engine: Engine

    def automates(self) -> list[dict[str, Any]]:
        """Those of the link, as ``polyphony automates`` shows them."""
        found: list[dict[str, Any]] = self.engine.listing("automates")
        return [each for each in found if each["link"] == "pbx"]

    def states(self) -> Counter[str]:
        """How many automates are in which state."""
        return Counter(each["state"] for each in self.automates())

    def link(self) -> dict[str, Any]:
        """The link, as ``polyphony links`` shows it."""
        found: list[dict[str, Any]] = self.engine.listing("links")
        return found[0]


@pytest.fixture(scope="module", params=["udp", "tcp", "tls"])
def world(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, tls_files: dict[str, str]
) -> Iterator[World]:
    """Declared as an administrator does it, while the engine runs."""
    folder = Path(tmp_path_factory.mktemp("pbx"))
    with (
        Kamailio(folder, password=AUTOMATES_PASSWORD, tls=tls_files) as pbx,
        Engine(folder, {"sip.tls_ca": tls_files["ca"]}) as engine,
    ):
        world = World(pbx, engine)
        declare(world, request.param)
        yield world


def eventually(condition: Callable[[], object], timeout: float, what: str) -> float:
    """Wait until it holds; the seconds it took."""
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < timeout, f"{what}: not within {timeout:g} s"
        time.sleep(0.2)
    return time.monotonic() - begun


def peak(seen: list[Registration]) -> int:
    """The most REGISTER requests in any one second."""
    times = [each.at for each in seen]
    return max((sum(at <= other < at + 1.0 for other in times) for at in times), default=0)


def test_all_register_with_digest(world: World) -> None:
    """They are in the PBX's location table and registered in the engine's own view, without a storm."""
    took = world.pbx.wait_registered(NUMBERS, timeout=BACK_WITHIN)
    eventually(lambda: world.states() == {"registered": 100}, 5.0, "registered in our own view")
    seen = world.pbx.registrations()
    log.info("100 registered in %.1f s: %d REGISTER, at most %d a second", took, len(seen), peak(seen))
    assert peak(seen) <= MOST_A_SECOND
    assert len(seen) <= MOST_IN_ALL


def test_a_phone_of_the_pbx_hears_the_prompt(world: World, tmp_path: Path) -> None:
    """It calls an automate's number through the PBX; the state view counts the call."""
    world.pbx.wait_registered(NUMBERS)
    with phone_of(world.pbx, tmp_path) as phone:
        phone.register()
        phone.call(world.pbx.uri("3042"))
        phone.wait_for("confirmed")
        heard = phone.hears(5.0)
        sound.assert_hears_prompt(heard, WELCOME)
        log.info("heard: %s", sound.correlate(sound.sounding(sound.load(heard)), sound.load(WELCOME)))
        assert [each["number"] for each in world.automates() if each["calls"]] == ["3042"]
        phone.hangup()
    eventually(lambda: not any(each["calls"] for each in world.automates()), 5.0, "the call is over")


@pytest.mark.parametrize("world", ["udp"], indirect=True)  # a lost connection tells by itself
@pytest.mark.parametrize("outage", [2.0, 15.0])
def test_after_a_crash_all_come_back(world: World, outage: float) -> None:
    """Killed, away for a while, and back where it was without memory: all are registered again, gently."""
    world.pbx.wait_registered(NUMBERS)
    world.pbx.kill()
    time.sleep(outage)
    heals(world, f"{outage:g} s")


def test_a_dead_pbx_is_noticed(world: World) -> None:
    """The view says failed, why and since when, of the link and of each automate; then all come back."""
    world.pbx.wait_registered(NUMBERS)
    eventually(lambda: world.states() == {"registered": 100}, 5.0, "registered in our own view")
    died = time.time()
    world.pbx.kill()
    took = eventually(lambda: not world.states()["registered"], NOTICED_WITHIN, "the outage is noticed")
    link = world.link()
    assert link["state"] == "down"
    assert link["last_error"]
    assert link["since"] >= died
    for each in world.automates():
        assert each["state"] in ("failed", "registering")
        assert each["since"] >= died
        assert each["last_error"] or each["state"] == "registering"
    log.info("noticed after %.1f s: %s", took, link["last_error"])
    heals(world, "noticed")
    assert world.link()["state"] == "up"
    assert {each["last_error"] for each in world.automates()} == {""}


def test_a_wrong_password_is_said_and_not_tried_again(tmp_path: Path) -> None:
    """State failed with the PBX's words; each account is tried once, for that is how one gets locked out."""
    with Kamailio(tmp_path, password=AUTOMATES_PASSWORD) as pbx, Engine(tmp_path) as engine:
        world = World(pbx, engine)
        declare(world, "udp", password="guess", count=10)
        eventually(lambda: world.states() == {"failed": 10}, 10.0, "refused")
        time.sleep(10.0)
        assert all(each["last_error"].startswith("401") for each in world.automates())
        assert world.link()["state"] == "down"
        tries = Counter(each.number for each in pbx.registrations() if each.authorised)
        assert set(tries.values()) == {1}
        assert pbx.registered() == set()


def test_the_engine_stops_in_time_though_the_pbx_is_dead(tmp_path: Path) -> None:
    """Nobody answers its farewells; it still exits 0 within five seconds."""
    with Kamailio(tmp_path, password=AUTOMATES_PASSWORD) as pbx, Engine(tmp_path) as engine:
        declare(World(pbx, engine), "udp", count=10)
        pbx.wait_registered({str(number) for number in range(3000, 3010)})
        pbx.kill()
        engine.stop()


def test_the_engine_that_stops_takes_its_automates_back(tmp_path: Path) -> None:
    """All are unregistered at the PBX."""
    with Kamailio(tmp_path, password=AUTOMATES_PASSWORD) as pbx, Engine(tmp_path) as engine:
        declare(World(pbx, engine), "udp")
        pbx.wait_registered(NUMBERS)
        engine.stop()
        assert pbx.registered() == set()


def declare(world: World, transport: str, password: str = AUTOMATES_PASSWORD, count: int = 100) -> None:
    """What an administrator types."""
    secret = world.engine.password_file(password)
    port = world.pbx.tls_port if transport == "tls" else world.pbx.port
    world.engine.cli(
        "links", "add", "pbx", "--host", "127.0.0.1", "--port", str(port), "--realm", REALM,
        "--transport", transport,
    )  # fmt: skip
    world.engine.cli(
        "automates", "add", "3000", "announcement", "--count", str(count), "--link", "pbx",
        "--password-file", secret,
    )  # fmt: skip


def phone_of(pbx: Kamailio, folder: Path) -> Phone:
    """A phone with an account at the PBX, not started."""
    return Phone(
        folder,
        "phone",
        uri=f"sip:{PHONE}@127.0.0.1",
        registrar=pbx.uri(),
        user=PHONE,
        password=AUTOMATES_PASSWORD,
    )


def heals(world: World, outage: str) -> None:
    """Start the PBX again: all are registered in time, at a gentle rate, and our own view says so."""
    back = time.time()
    world.pbx.start()
    took = world.pbx.wait_registered(NUMBERS, timeout=BACK_WITHIN)
    time.sleep(3.0)  # what comes too late would be part of the storm
    seen = world.pbx.registrations(since=back)
    most = Counter(each.number for each in seen).most_common(1)[0]
    log.info(
        "outage %s: all back in %.1f s: %d REGISTER, at most %d a second, %s", outage, took, len(seen),
        peak(seen), most,
    )  # fmt: skip
    assert peak(seen) <= MOST_A_SECOND
    assert len(seen) <= MOST_IN_ALL
    assert most[1] <= MOST_EACH
    assert world.states() == {"registered": 100}
