"""Sound over IPv6: from a phone through the echo, and between a phone on IPv6 and one on IPv4."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.engine_process import Engine
from tests.interop.wire_phone import WirePhone, place
from tests.interop.wire_sound import Voice


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An engine on both versions, with a line."""
    settings = {"sip.bind": '["127.0.0.1", "::1"]', "sip.accept_from": '["::1/128"]'}
    with Engine(Path(tmp_path_factory.mktemp("both")), settings) as engine:
        engine.add_line("401", "secret-401")
        yield engine


def over_ipv6(engine: Engine) -> str:
    """The engine's address on IPv6."""
    return f"[::1]:{place(engine.ready.address())[1]}"


def test_the_echo_over_ipv6(both: Engine) -> None:
    """The engine offers and uses an IPv6 address; the tone comes back."""
    with WirePhone(over_ipv6(both), host="::1") as phone:
        assert phone.call("5000").status == 200
        assert phone.dialog.media is not None
        assert phone.dialog.media[0] == "::1"
        with Voice(phone) as voice:
            time.sleep(2.0)
        assert voice.kept() > 0.8
        assert voice.from_others == 0
        assert phone.hang_up().status == 200


def test_a_call_between_the_versions(both: Engine) -> None:
    """A phone on IPv6 calls a line whose phone is on IPv4: each hears the other."""
    with (
        WirePhone(over_ipv6(both), host="::1") as caller,
        WirePhone(both.ready.address(), user="401", password="secret-401") as called,
    ):
        assert called.register().status == 200
        called.picks_up = True
        ringing = threading.Thread(target=called.listen, args=(5.0, "ACK"))
        ringing.start()
        assert caller.call("401").status == 200
        ringing.join()
        assert caller.dialog.media is not None
        assert called.dialog.media is not None
        assert (caller.dialog.media[0], called.dialog.media[0]) == ("::1", "127.0.0.1")
        with Voice(caller, 500) as one, Voice(called, 800) as other:
            time.sleep(2.0)
        assert one.kept(800) > 0.8
        assert other.kept(500) > 0.8
        assert caller.hang_up().status == 200
