"""The SIPp fixture calls itself, and tells a failure from a success."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.interop.sipp import Sipp

pytestmark = pytest.mark.needs("sipp")


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_uac_calls_uas(tmp_path: Path, transport: str) -> None:
    """Twenty built-in calls from one SIPp to another succeed at both ends."""
    with Sipp(tmp_path, "uas", transport=transport, calls=20) as uas:
        remote = f"127.0.0.1:{uas.port}"
        Sipp(tmp_path, "uac", remote=remote, transport=transport, calls=20, rate=50).run().check(20)
        uas.wait().check(20)


def test_a_call_nobody_takes_fails(tmp_path: Path) -> None:
    """Without a UAS the run fails and the outcome says so."""
    outcome = Sipp(tmp_path, "uac", remote="127.0.0.1:9", timeout=2).run()
    assert outcome.exit != 0
    with pytest.raises(AssertionError, match="sipp ended with"):
        outcome.check()
