"""What fmtp says of Opus and G.729, however it is written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip.format_parameters import (
    OPUS_RATES,
    OpusParameters,
    annex_b,
    answered,
    opus_fmtp,
    opus_parameters,
    read,
)


@pytest.mark.parametrize(
    ("fmtp", "expected"),
    [
        (None, OpusParameters()),
        ("", OpusParameters()),
        ("useinbandfec=1; usedtx=1", OpusParameters(fec=True, dtx=True)),
        (" USEINBANDFEC = 1 ;stereo=1", OpusParameters(fec=True)),
        ("maxplaybackrate=16000;sprop-maxcapturerate=16000", OpusParameters(rate=16000)),
        ("maxplaybackrate=24000", OpusParameters(rate=16000)),
        ("maxplaybackrate=12000", OpusParameters(rate=8000)),
        ("maxplaybackrate=1", OpusParameters(rate=8000)),
        ("maxplaybackrate=-1;maxaveragebitrate=20000", OpusParameters(bitrate=20000)),
        ("maxaveragebitrate=5999", OpusParameters()),
        ("maxaveragebitrate=1e4", OpusParameters()),
        ("minptime=10;useinbandfec=1", OpusParameters(fec=True)),
    ],
)
def test_opus(fmtp: str | None, expected: OpusParameters) -> None:
    """RFC 7587 section 6.1; what is out of range counts as not said."""
    assert opus_parameters(fmtp) == expected


@given(st.text(max_size=60))
def test_any_text_is_read(text: str) -> None:
    """No fmtp of a stranger's raises, and all of Opus stays in its table."""
    read(text)
    parameters = opus_parameters(text)
    assert parameters.rate in OPUS_RATES
    assert parameters.bitrate == 0 or 6000 <= parameters.bitrate <= 510_000


@pytest.mark.parametrize("rate", OPUS_RATES)
def test_our_own_fmtp_says_what_we_take(rate: int) -> None:
    """Mono, with FEC and DTX, and the band when it is not the whole."""
    assert opus_parameters(opus_fmtp(rate)) == OpusParameters(rate, 0, fec=True, dtx=True)
    assert ("maxplaybackrate" in opus_fmtp(rate)) == (rate != 48000)
    assert read(opus_fmtp(rate))["stereo"] == "0"


@pytest.mark.parametrize(
    ("fmtp", "allowed"),
    [(None, True), ("annexb=yes", True), ("annexb=no", False), ("AnnexB=NO", False), ("x", True)],
)
def test_annex_b(fmtp: str | None, allowed: bool) -> None:
    """RFC 4856 section 2.1.9: yes unless it is said; our answer repeats a no, of G.729 only."""
    assert annex_b(fmtp) == allowed
    assert answered("G729", None, fmtp) == (None if allowed else "annexb=no")
    assert answered("opus", "stereo=0", fmtp) == "stereo=0"
