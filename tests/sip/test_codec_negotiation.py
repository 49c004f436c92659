"""Offers and answers over all codecs: payload types, clock rates of events, parameters, packet lengths."""

from __future__ import annotations

import pytest

from sip.offer_answer import (
    G722,
    G729,
    L16,
    OPUS,
    PCMA,
    PCMU,
    Audio,
    Codec,
    LocalMedia,
    accept,
    answer,
    first_common,
    make_offer,
    with_events,
)
from sip.sdp import SessionDescription

ALL = with_events((OPUS, G722, PCMA, PCMU, *L16, G729))
HERE = LocalMedia("203.0.113.1", 40000, 7, 1)
THERE = LocalMedia("192.0.2.10", 4000, 9, 1)
HEAD = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"


def sdp(*lines: str) -> bytes:
    return (HEAD + "".join(f"{line}\r\n" for line in lines)).encode()


def answered(*lines: str, codecs: tuple[Codec, ...] = ALL) -> tuple[bytes, Audio]:
    data, audio = answer(sdp(*lines), codecs, HERE)
    assert audio is not None
    return data, audio


def test_an_offer_has_every_codec_and_events_at_each_clock_rate() -> None:
    """Dynamic numbers are all different; L16 at 48 kHz is left out, for one ptime is said for all."""
    section = SessionDescription.parse(make_offer(ALL, HERE)).media[0]
    assert section.formats == ("111", "9", "8", "0", "96", "97", "18", "110", "101", "98")
    maps = [value for name, value in section.attributes if name == "rtpmap"]
    assert maps == [
        "111 opus/48000/2",
        "9 G722/8000",
        "8 PCMA/8000",
        "0 PCMU/8000",
        "96 L16/16000",
        "97 L16/8000",
        "18 G729/8000",
        "110 telephone-event/48000",
        "101 telephone-event/8000",
        "98 telephone-event/16000",
    ]
    assert section.attribute("ptime") == "20"


@pytest.mark.parametrize(
    ("mapped", "codec", "event"),
    [("opus/48000/2", OPUS, "48000"), ("G722/8000", G722, "8000"), ("L16/16000", L16[0], "16000")],
)
def test_the_events_are_those_of_the_codecs_clock(mapped: str, codec: Codec, event: str) -> None:
    """RFC 4733 section 2.1, whatever the peer's numbers are."""
    events = {"8000": "120", "16000": "121", "48000": "122"}
    data, audio = answered(
        "m=audio 4000 RTP/AVP 97 120 121 122",
        f"a=rtpmap:97 {mapped}",
        *(f"a=rtpmap:{number} telephone-event/{rate}" for rate, number in events.items()),
    )
    assert audio.codec is codec
    assert audio.send_payload_type == 97
    assert audio.send_event_type == int(events[event])
    assert audio.event_rate == int(event)
    assert f"m=audio 40000 RTP/AVP 97 {events[event]}\r\n".encode() in data


def test_events_of_8000_next_to_opus_are_taken_where_there_are_no_others() -> None:
    """Several phones offer no others: digits at a wrong clock are better than none."""
    _, audio = answered(
        "m=audio 4000 RTP/AVP 96 101", "a=rtpmap:96 opus/48000/2", "a=rtpmap:101 telephone-event/8000"
    )
    assert (audio.send_event_type, audio.event_rate) == (101, 8000)


def test_what_we_prefer_goes_before_what_the_offerer_does() -> None:
    """Where it is offered at all."""
    offer = sdp("m=audio 4000 RTP/AVP 8 0 9")
    for prefer, chosen in ((None, PCMA), (PCMU, PCMU), (G722, G722), (OPUS, PCMA)):
        audio = answer(offer, ALL, HERE, prefer=prefer)[1]
        assert audio is not None
        assert audio.codec == chosen
    assert first_common(offer, (PCMU, G722)) == PCMU
    assert first_common(offer, (OPUS,)) is None
    assert first_common(HEAD.encode(), ALL) is None


def test_numbers_may_differ_by_direction() -> None:
    """RFC 3264 section 5.1: who answers with another number is sent that, and sends ours."""
    offer = make_offer(ALL, HERE)
    theirs = sdp(
        "m=audio 4000 RTP/AVP 120 121",
        "a=rtpmap:120 opus/48000/2",
        "a=fmtp:120 maxplaybackrate=16000;usedtx=1",
        "a=rtpmap:121 telephone-event/48000",
    )
    audio = accept(offer, theirs)
    assert audio is not None
    assert (audio.send_payload_type, audio.receive_payload_type) == (120, 111)
    assert (audio.send_event_type, audio.receive_event_type) == (121, 110)
    assert audio.fmtp == "maxplaybackrate=16000;usedtx=1"


def test_l16_at_48_khz_is_answered_in_packets_of_10_ms() -> None:
    """20 ms of it do not fit a packet."""
    data, audio = answered("m=audio 4000 RTP/AVP 96", "a=rtpmap:96 L16/48000")
    assert audio.codec.rate == 48000
    assert b"a=ptime:10\r\n" in data


@pytest.mark.parametrize(("said", "ours"), [("annexb=no", b"a=fmtp:18 annexb=no"), ("annexb=yes", b"")])
def test_annex_b_is_refused_in_kind(said: str, ours: bytes) -> None:
    """RFC 4856: an answer to annexb=no says so too."""
    data, audio = answered("m=audio 4000 RTP/AVP 18", f"a=fmtp:18 {said}")
    assert audio.fmtp == said
    assert (b"annexb" in data) == bool(ours)
    assert ours in data


def test_a_new_offer_keeps_the_numbers_of_the_first() -> None:
    """RFC 3264 section 8.3.2: a number keeps its meaning, also those the peer chose."""
    ours, _ = answered(
        "m=audio 4000 RTP/AVP 96 97", "a=rtpmap:96 opus/48000/2", "a=rtpmap:97 telephone-event/48000"
    )
    section = SessionDescription.parse(make_offer(ALL, HERE, previous=ours)).media[0]
    maps = dict(value.split(" ", 1) for name, value in section.attributes if name == "rtpmap" and value)
    assert maps["96"] == "opus/48000/2"
    assert maps["97"] == "telephone-event/48000"
    assert len(maps) == len(section.formats) == 10
