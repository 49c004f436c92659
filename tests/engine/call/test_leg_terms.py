"""What a worker is told of what offer/answer settled."""

from __future__ import annotations

import pytest

from engine.call.leg_terms import Sound, leg_spec, sound_of
from sip.format_parameters import opus_fmtp
from sip.offer_answer import G722, G729, L16, OPUS, PCMA, PCMU, Audio, Codec

PLAIN = Audio("192.0.2.1", 4000, 4001, PCMU, 0, 0, 101, 101, 20, True, True, False)


@pytest.mark.parametrize(
    ("codec", "fmtp", "sound"),
    [
        (PCMU, None, Sound("PCMU")),
        (PCMA, None, Sound("PCMA")),
        (G722, None, Sound("G722", 16000)),
        (L16[2], None, Sound("L16", 48000)),
        (G729, None, Sound("G729", dtx=True)),
        (G729, "annexb=no", Sound("G729")),
        (OPUS, None, Sound("OPUS", 48000)),
        (OPUS, "maxplaybackrate=16000;usedtx=1", Sound("OPUS", 16000, dtx=True)),
        (OPUS, "maxaveragebitrate=12000;useinbandfec=1", Sound("OPUS", 48000, 12000, fec=True)),
        (OPUS._replace(fmtp=opus_fmtp(8000)), "maxplaybackrate=16000", Sound("OPUS", 8000)),
    ],
)
def test_how_a_codec_is_spoken(codec: Codec, fmtp: str | None, sound: Sound) -> None:
    """As the peer would have it, no further than we go ourselves."""
    assert sound_of(PLAIN._replace(codec=codec, fmtp=fmtp)) == sound


def test_the_clocks_are_those_of_the_description() -> None:
    """The RTP clock of the codec, and that of the events, which may be another."""
    spec = leg_spec("192.0.2.9", PLAIN._replace(codec=OPUS, event_rate=8000), None)
    assert (spec.codec, spec.rate, spec.clock_rate, spec.event_rate) == ("OPUS", 48000, 48000, 8000)
    assert leg_spec("192.0.2.9", None, None).codec is None


def test_a_codec_nobody_speaks_is_our_own_mistake() -> None:
    """It cannot have been offered."""
    with pytest.raises(ValueError, match="GSM"):
        sound_of(PLAIN._replace(codec=Codec("GSM", 8000, 1, 3)))
