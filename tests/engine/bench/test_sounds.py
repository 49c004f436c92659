"""What the load generator says, how it is kept secret, and how loud it is found."""

from __future__ import annotations

import base64

import numpy as np
import pytest

from engine.bench.media.ear import ear
from engine.bench.media.secrecy import SUITE, TAG_SIZE, Secrecy
from engine.bench.media.sounds import SILENCE, TICKS, sound_set
from media.rtp import RtpPacket
from sip.sdp import MediaSection


@pytest.mark.parametrize("codec", ["PCMU", "PCMA"])
def test_g711_is_tones_and_silence(codec: str) -> None:
    """Every tone is as loud as the others, and silence is silent."""
    sounds, listened = sound_set(codec), []
    for sound in (SILENCE, 1, sounds.tones):
        hearer = ear(codec)
        assert hearer is not None
        for tick in range(TICKS):
            assert sounds.sizes[sound, tick] == 160
            hearer.hear(sounds.payloads[sound, tick].tobytes())
        listened.append(hearer.level)
    assert listened[0] is not None
    assert listened[0] < 10
    assert listened[1:] == pytest.approx([424, 424], rel=0.02)


def test_opus_speaks_and_falls_silent() -> None:
    """A voice is sent fifty times a second; of silence, with DTX, only the comfort noise is."""
    with_dtx, without = sound_set("opus"), sound_set("opus", dtx=False)
    assert (with_dtx.sizes[1] > 10).all()
    assert 0 < np.count_nonzero(with_dtx.sizes[SILENCE]) < 10
    assert (without.sizes[SILENCE] > 2).all()
    hearer = ear("opus")
    assert hearer is not None
    for tick in range(TICKS):
        hearer.hear(with_dtx.payloads[1, tick, : with_dtx.sizes[1, tick]].tobytes())
    assert hearer.level is not None
    assert 300 < hearer.level < 6000


def test_an_unknown_codec_is_refused() -> None:
    """The generator says so rather than sending something else."""
    with pytest.raises(ValueError, match="G723"):
        sound_set("G723")
    assert ear("G723") is None


def section(line: str) -> MediaSection:
    """The audio section of an answer with this crypto line."""
    name, _, value = line.removeprefix("a=").partition(":")
    return MediaSection("audio", 5004, "RTP/SAVP", ("0",), attributes=((name, value),))


def test_two_ends_that_exchanged_their_lines_understand_one_another() -> None:
    """What one protects the other opens, a tag longer; a changed packet is not opened."""
    one, other = Secrecy(), Secrecy()
    assert one.accept(section(other.line))
    assert other.accept(section(one.line))
    packet = RtpPacket(0, 1, 160, 7, bytes(160)).serialise()
    sealed = one.protect(packet)
    assert len(sealed) == len(packet) + TAG_SIZE
    assert other.unprotect(sealed[:-1] + bytes([sealed[-1] ^ 1])) is None
    assert other.unprotect(sealed) == packet


def test_an_answer_without_a_fitting_key_is_no_answer() -> None:
    """Another suite, or none, is not spoken with; nothing that comes is authentic then."""
    call = Secrecy()
    key = base64.b64encode(bytes(30)).decode()
    assert not call.accept(MediaSection("audio", 5004, "RTP/SAVP", ("0",)))
    assert not call.accept(section(f"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{key}"))
    assert SUITE in call.line
    assert call.unprotect(bytes(40)) is None
