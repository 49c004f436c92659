"""The Kamailio fixture is a PBX: registers with digest, routes between its users, forgets when killed."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from engine.softphone.settings import SoftphoneError
from tests.interop import sound
from tests.interop.kamailio import Kamailio, password_of
from tests.interop.phone import Phone

pytestmark = pytest.mark.needs("kamailio")


def registered_phone(
    folder: Path, pbx: Kamailio, number: str, transport: str = "udp", ca: str = "", **settings: object
) -> Phone:
    """A phone of that PBX, not started."""
    return Phone(
        folder,
        f"phone-{number}",
        uri=f"sip:{number}@127.0.0.1",
        registrar=pbx.uri(transport=transport),
        user=number,
        password=password_of(number),
        transport=transport,
        ca_file=ca if transport == "tls" else "",
        **settings,
    )


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_phones_call_each_other_through_it(tmp_path: Path, transport: str, tls_files: dict[str, str]) -> None:
    """Two phones register over that transport; one calls the other's number and hears its tone and digits."""
    with Kamailio(tmp_path, tls=tls_files, challenge_calls=True) as pbx:
        alice = registered_phone(tmp_path, pbx, "1001", transport, tls_files["ca"])
        bob = registered_phone(tmp_path, pbx, "1002", transport, tls_files["ca"], answer_with=200)
        with alice, bob:
            alice.register()
            bob.register()
            assert pbx.registered() == {"1001", "1002"}
            alice.call(pbx.uri("1002", transport))
            alice.wait_for("confirmed")
            bob.wait_for("confirmed")
            bob.play(sound.tone_file(tmp_path, 1200), loop=True)
            alice.rest(0.3)
            sound.assert_hears_tone(alice.hears(0.7), 1200, -12)
            alice.send_dtmf("31")
            bob.wait_for_digits("31")
            bob.hangup()
            alice.wait_for("disconnected")
        assert pbx.registered() == set()


def test_a_wrong_password_is_refused(tmp_path: Path) -> None:
    """The registrar challenges again; the phone gives up with 401."""
    with Kamailio(tmp_path) as pbx:
        phone = Phone(
            tmp_path,
            "mallory",
            uri="sip:1001@127.0.0.1",
            registrar=pbx.uri(),
            user="1001",
            password="guess",
        )
        with phone, pytest.raises(SoftphoneError, match="401") as refused:
            phone.register()
        assert refused.value.status == 401
        assert pbx.registered() == set()
        assert not any(entry.authorised and entry.number != "1001" for entry in pbx.registrations())


def test_an_unknown_number_is_404(tmp_path: Path) -> None:
    """A call to a number nobody registered is answered so."""
    with Kamailio(tmp_path) as pbx, registered_phone(tmp_path, pbx, "1001") as phone:
        phone.register()
        phone.call(pbx.uri("1999"))
        with pytest.raises(SoftphoneError, match="404"):
            phone.wait_for("confirmed")


def test_killed_it_forgets_and_comes_back_where_it_was(tmp_path: Path) -> None:
    """After kill -9 and a start on the same port nobody is registered until they register again."""
    with Kamailio(tmp_path) as pbx, registered_phone(tmp_path, pbx, "1001") as phone:
        phone.register()
        pbx.wait_registered({"1001"}, timeout=1)
        pbx.kill()
        with pytest.raises(OSError, match=r"refused|reset"):  # or its socket was still being closed
            pbx.registered()
        pbx.start()
        assert pbx.registered() == set()
        with pytest.raises(AssertionError, match="1 not registered"):
            pbx.wait_registered({"1001"}, timeout=0.2)
        again = time.time()
        phone.register()
        assert pbx.registered() == {"1001"}
        seen = pbx.registrations(since=again)
        assert {entry.number for entry in seen} == {"1001"}
        assert 1 <= len(seen) <= 2


def test_digest_with_sha_256(tmp_path: Path) -> None:
    """It can ask for SHA-256 (RFC 8760) instead of MD5."""
    with Kamailio(tmp_path, algorithm="SHA-256") as pbx, registered_phone(tmp_path, pbx, "1001") as phone:
        phone.register()
        assert pbx.registered() == {"1001"}
    assert "algorithm=SHA-256" in phone.log
