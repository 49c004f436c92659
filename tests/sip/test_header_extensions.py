"""Header extensions in offers and answers (RFC 8285, RFC 6464)."""

from __future__ import annotations

import pytest

from sip.header_extensions import AUDIO_LEVEL, audio_level_id
from sip.offer_answer import OPUS, LocalMedia, accept, answer, make_offer
from sip.sdp import SessionDescription

OURS = LocalMedia("192.0.2.1", 40000, 1, 1)


def sdp(*lines: str) -> bytes:
    head = ["v=0", "o=- 1 1 IN IP4 192.0.2.9", "s=-", "c=IN IP4 192.0.2.9", "t=0 0"]
    audio = ["m=audio 5004 RTP/AVP 96", "a=rtpmap:96 opus/48000/2", *lines]
    return "\r\n".join([*head, *audio, ""]).encode()


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (f"a=extmap:1 {AUDIO_LEVEL}", 1),
        (f"a=extmap:14/sendonly {AUDIO_LEVEL} vad=on", 14),
        (f"a=extmap:3/inactive {AUDIO_LEVEL}", None),
        (f"a=extmap:15 {AUDIO_LEVEL}", None),
        (f"a=extmap:x {AUDIO_LEVEL}", None),
        ("a=extmap:1 urn:ietf:params:rtp-hdrext:toffset", None),
        ("a=extmap:1", None),
        ("a=extmap", None),
    ],
)
def test_reading(line: str, found: int | None) -> None:
    """The id of the level, if the stream is to carry it in the one-byte form."""
    (section,) = SessionDescription.parse(sdp(line)).media
    assert audio_level_id(section) == found


def test_the_answer_takes_it_up() -> None:
    """We would be told, and tell nothing ourselves; what else was offered is left out."""
    offer = sdp("a=extmap:2 urn:ietf:params:rtp-hdrext:toffset", f"a=extmap:3 {AUDIO_LEVEL}")
    described, audio = answer(offer, [OPUS], OURS)
    assert audio is not None
    assert audio.level_id == 3
    assert described.decode().count("extmap") == 1
    assert f"a=extmap:3/recvonly {AUDIO_LEVEL}\r\n" in described.decode()
    _, audio = answer(sdp(), [OPUS], OURS)
    assert audio is not None
    assert audio.level_id is None


def test_a_later_offer_of_ours_keeps_it() -> None:
    """And it is in use as long as the peer's answer has it, too."""
    described, _ = answer(sdp(f"a=extmap:3 {AUDIO_LEVEL}"), [OPUS], OURS)
    again = make_offer([OPUS], OURS, previous=described)
    assert f"a=extmap:3/recvonly {AUDIO_LEVEL}\r\n" in again.decode()
    kept = accept(again, sdp(f"a=extmap:3/sendonly {AUDIO_LEVEL}"))
    dropped = accept(again, sdp())
    assert kept is not None
    assert dropped is not None
    assert (kept.level_id, dropped.level_id) == (3, None)
    assert "extmap" not in make_offer([OPUS], OURS).decode()
