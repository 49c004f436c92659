"""Offer and answer for one audio stream (RFC 3264): examples, refusals, invariants."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip.offer_answer import (
    G722,
    PCMA,
    PCMU,
    TELEPHONE_EVENT,
    Audio,
    Codec,
    LocalMedia,
    accept,
    answer,
    audio_host,
    make_offer,
    payloads,
)
from sip.sdp import SdpError, SessionDescription

GOLDEN = Path(__file__).parents[1] / "golden" / "sdp"
CODECS = (PCMA, PCMU, TELEPHONE_EVENT)
HERE = LocalMedia("203.0.113.1", 40000, 7, 1)
THERE = LocalMedia("192.0.2.10", 4000, 9, 1)
HEAD = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"


def sdp(*lines: str) -> bytes:
    return (HEAD + "".join(f"{line}\r\n" for line in lines)).encode()


def golden(name: str) -> bytes:
    return (GOLDEN / f"{name}.sdp").read_bytes()


def audio_of(offer: bytes, **options: object) -> Audio:
    audio = answer(offer, CODECS, HERE, **options)[1]  # type: ignore[arg-type]
    assert audio is not None
    return audio


def refused(offer: bytes, **options: object) -> str:
    with pytest.raises(SdpError) as caught:
        answer(offer, CODECS, HERE, **options)  # type: ignore[arg-type]
    assert caught.value.status == 488
    return caught.value.label


def shape(data: bytes) -> list[tuple[str, bool]]:
    return [(section.kind, section.port > 0) for section in SessionDescription.parse(data).media]


class TestAnswer:
    def test_the_plainest_offer(self) -> None:
        """sipp's own caller: PCMU, nothing else."""
        data, audio = answer(golden("sipp_uac"), CODECS, HERE)
        assert audio == Audio(
            "198.51.100.5", 6000, 6001, PCMU, 0, 0, None, None, 20, send=True, receive=True, rtcp_mux=False
        )
        assert data == (
            b"v=0\r\no=- 7 1 IN IP4 203.0.113.1\r\ns=-\r\nc=IN IP4 203.0.113.1\r\nt=0 0\r\n"
            b"m=audio 40000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=ptime:20\r\na=sendrecv\r\n"
        )

    def test_the_offerers_order_decides(self) -> None:
        """RFC 3264 section 6.1: unknown formats are passed over, payload types are the offerer's."""
        audio = audio_of(golden("pjsua"))
        assert (audio.codec, audio.send_payload_type, audio.send_event_type) == (PCMU, 0, 96)
        assert audio.receive_event_type == 96
        assert audio.remote_rtcp_port == 4001

    def test_streams_we_do_not_have_are_refused_in_place(self) -> None:
        local = HERE._replace(host="2001:db8::1", rtcp_mux=True)
        data, audio = answer(golden("baresip"), CODECS, local)
        assert audio is not None
        assert audio.rtcp_mux
        assert audio.remote_rtcp_port == 15412
        assert shape(data) == [("audio", True), ("video", False)]
        assert b"a=rtcp-mux" in data
        assert b"c=IN IP6 2001:db8::1" in data
        assert b"m=video 0 RTP/AVP 99" in data

    def test_multiplexing_is_not_forced_on_us(self) -> None:
        data, audio = answer(golden("baresip"), CODECS, HERE._replace(host="2001:db8::1"))
        assert audio is not None
        assert not audio.rtcp_mux
        assert audio.remote_rtcp_port == 15413
        assert b"rtcp-mux" not in data

    def test_a_secure_stream_is_passed_over_for_a_plain_one(self) -> None:
        data, audio = answer(golden("secure_first"), CODECS, HERE)
        assert audio is not None
        assert audio.remote_port == 30002
        assert audio.ptime_ms == 30
        assert shape(data) == [("audio", False), ("audio", True)]
        assert (audio.send, audio.receive, audio.held) == (False, True, True)
        assert data.endswith(b"a=recvonly\r\n")

    def test_only_the_first_of_two_audio_streams_is_taken(self) -> None:
        data, _ = answer(sdp("m=audio 4000 RTP/AVP 0", "m=audio 4002 RTP/AVP 8"), CODECS, HERE)
        assert shape(data) == [("audio", True), ("audio", False)]

    @pytest.mark.parametrize(
        ("theirs", "ours", "send", "receive", "word"),
        [
            ("sendrecv", "sendrecv", True, True, "sendrecv"),
            ("sendonly", "sendrecv", False, True, "recvonly"),
            ("recvonly", "sendrecv", True, False, "sendonly"),
            ("inactive", "sendrecv", False, False, "inactive"),
            ("sendrecv", "sendonly", True, False, "sendonly"),
            ("sendonly", "sendonly", False, False, "inactive"),
            ("recvonly", "recvonly", False, False, "inactive"),
        ],
    )
    def test_directions(self, theirs: str, ours: str, send: bool, receive: bool, word: str) -> None:
        """RFC 3264 section 6.1, the table of directions, with our own wish."""
        data, audio = answer(sdp("m=audio 4000 RTP/AVP 0", f"a={theirs}"), CODECS, HERE, ours)
        assert audio is not None
        assert (audio.send, audio.receive) == (send, receive)
        assert f"a={word}\r\n".encode() in data

    def test_the_old_hold_by_a_null_address(self) -> None:
        """RFC 3264 section 8.4 and RFC 2543: c=0.0.0.0 means do not send to me."""
        data, audio = answer(golden("hold_2543"), CODECS, HERE)
        assert audio is not None
        assert not audio.send
        assert audio.receive
        assert b"a=recvonly" in data
        six = sdp("m=audio 4000 RTP/AVP 0", "c=IN IP6 ::")
        assert audio_of(six).send is False

    def test_the_times_of_the_offer_are_repeated(self) -> None:
        """RFC 3264 section 6: the t= line of the answer MUST equal the offer's."""
        offer = golden("sipp_uac").replace(b"t=0 0", b"t=2873397496 2873404696")
        assert b"t=2873397496 2873404696\r\n" in answer(offer, CODECS, HERE)[0]

    def test_an_offer_without_a_live_stream_gets_an_answer_without_one(self) -> None:
        assert answer(sdp(), CODECS, HERE)[1] is None
        data, audio = answer(sdp("m=audio 0 RTP/AVP 0"), CODECS, HERE)
        assert audio is None
        assert shape(data) == [("audio", False)]

    def test_opus_keeps_our_own_parameters_and_its_event_rate(self) -> None:
        opus = Codec("opus", 48000, 2, None, "useinbandfec=1")
        event = Codec("telephone-event", 48000, 1, None, "0-15")
        offer = sdp(
            "m=audio 4000 RTP/AVP 96 101 102",
            "a=rtpmap:96 OPUS/48000/2",
            "a=fmtp:96 stereo=1",
            "a=rtpmap:101 telephone-event/8000",
            "a=rtpmap:102 telephone-event/48000",
        )
        data, audio = answer(offer, (opus, event, TELEPHONE_EVENT), HERE)
        assert audio is not None
        assert audio.codec is opus
        assert audio.send_event_type == 102
        assert b"a=rtpmap:96 OPUS/48000/2\r\na=fmtp:96 useinbandfec=1\r\n" in data

    @pytest.mark.parametrize(
        ("lines", "label"),
        [
            (("m=video 4000 RTP/AVP 31",), "sdp_no_audio"),
            (("m=audio 4000 RTP/SAVP 0",), "sdp_profile"),
            (("m=audio 4000 RTP/AVP 9 18",), "sdp_no_common_codec"),
            (("m=audio 4000 RTP/AVP 101", "a=rtpmap:101 telephone-event/8000"), "sdp_no_common_codec"),
            (("m=audio 4000 RTP/AVP 0", "c=IN IP4 phone.example.com"), "sdp_address_name"),
            (("m=audio 4000 RTP/AVP 0", "c=IN IP4 " + "1" * 300), "sdp_address_name"),
            (("m=audio 4000 RTP/AVP 0", "c=IN IP4 224.0.0.1"), "sdp_address_multicast"),
            (("m=audio 4000 RTP/AVP 0", "c=IN IP6 ::ffff:224.0.0.1"), "sdp_address_multicast"),
            (("m=audio 4000 RTP/AVP 0", "c=IN IP4 255.255.255.255"), "sdp_address_broadcast"),
            (("m=audio 4000 RTP/AVP 0", "c=IN IP6 2001:db8::1"), "sdp_address_family"),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_what_cannot_be_used_is_refused(self, lines: tuple[str, ...], label: str) -> None:
        assert refused(sdp(*lines)) == label

    def test_an_address_is_needed(self) -> None:
        assert (
            refused(sdp("m=audio 4000 RTP/AVP 0").replace(b"c=IN IP4 192.0.2.1\r\n", b"")) == "sdp_connection"
        )

    def test_our_own_ports_are_not_a_target(self) -> None:
        """Security E3: neither the media nor the report port may be one we forbid."""

        def forbidden(host: str, port: int) -> bool:
            return (host, port) == ("192.0.2.1", 8080)

        assert refused(sdp("m=audio 8080 RTP/AVP 0"), forbidden=forbidden) == "sdp_address_forbidden"
        assert refused(sdp("m=audio 8079 RTP/AVP 0"), forbidden=forbidden) == "sdp_address_forbidden"
        assert (
            refused(sdp("m=audio 9 RTP/AVP 0", "a=rtcp:8080"), forbidden=forbidden) == "sdp_address_forbidden"
        )
        assert audio_of(sdp("m=audio 8082 RTP/AVP 0"), forbidden=forbidden).remote_port == 8082

    def test_reports_go_to_the_host_of_the_media_only(self) -> None:
        audio = audio_of(sdp("m=audio 4000 RTP/AVP 0", "a=rtcp:5000 IN IP4 198.51.100.99"))
        assert (audio.remote_host, audio.remote_rtcp_port) == ("192.0.2.1", 5000)
        assert audio_of(sdp("m=audio 65535 RTP/AVP 0")).remote_rtcp_port is None
        assert audio_of(sdp("m=audio 4000 RTP/AVP 0", "a=rtcp:junk")).remote_rtcp_port == 4001

    @pytest.mark.parametrize(
        ("attributes", "expected"),
        [
            (("a=ptime:10",), 10),
            (("a=ptime:60",), 60),
            (("a=ptime:9",), 20),
            (("a=ptime:61",), 20),
            (("a=ptime:4294967296",), 20),
            (("a=ptime:-20",), 20),
            (("a=ptime:x",), 20),
            (("a=ptime:40", "a=maxptime:30"), 30),
            (("a=maxptime:500",), 20),
        ],
    )
    def test_packet_time(self, attributes: tuple[str, ...], expected: int) -> None:
        """Security E2: 10 to 60 ms, anything else is 20."""
        assert audio_of(sdp("m=audio 4000 RTP/AVP 0", *attributes)).ptime_ms == expected


class TestPayloads:
    def test_a_bad_map_costs_its_format_only(self) -> None:
        section = SessionDescription.parse(
            sdp(
                "m=audio 4000 RTP/AVP 0 96 97 98 99 100 101 102 128 x 8",
                "a=rtpmap:96 PCMU",
                "a=rtpmap:97 PCMU/0",
                "a=rtpmap:98 PCMU/8000/2",
                "a=rtpmap:99 nosuch/8000",
                "a=rtpmap:100 PCMU/+8000",
                "a=rtpmap:101 PCMA/8000/1",
                "a=rtpmap:102 " + "x" * 40 + "/8000",
                "a=rtpmap",
            )
        ).media[0]
        assert [codec.payload_type for codec in payloads(section)] == [0, 101, 8]

    def test_a_static_type_can_be_mapped_anew(self) -> None:
        section = SessionDescription.parse(sdp("m=audio 4000 RTP/AVP 0", "a=rtpmap:0 PCMA/8000")).media[0]
        assert payloads(section)[0].name == "PCMA"

    def test_address_of_the_audio(self) -> None:
        assert audio_host(golden("pjsua")) == "192.0.2.10"
        assert audio_host(sdp("m=video 4000 RTP/AVP 31", "m=audio 0 RTP/AVP 0")) is None


class TestOffer:
    def test_an_offer_lists_all_codecs(self) -> None:
        section = SessionDescription.parse(make_offer((PCMA, PCMU, G722, TELEPHONE_EVENT), HERE)).media[0]
        assert [codec.payload_type for codec in payloads(section)] == [8, 0, 9, 101]
        assert section.direction == "sendrecv"
        assert section.attribute("rtcp-mux") is None

    def test_dynamic_formats_get_free_numbers(self) -> None:
        opus = Codec("opus", 48000, 2)
        section = SessionDescription.parse(
            make_offer((opus, TELEPHONE_EVENT._replace(payload_type=96)), HERE)
        ).media[0]
        assert section.formats == ("96", "97")

    def test_multiplexing_is_offered_when_we_can(self) -> None:
        assert b"a=rtcp-mux" in make_offer(CODECS, HERE._replace(rtcp_mux=True))

    def test_a_new_offer_keeps_places_and_numbers(self) -> None:
        """RFC 3264 section 8: streams keep their place, payload types their meaning."""
        ours, _ = answer(golden("pjsua") + b"m=video 9 RTP/AVP 31\r\n", CODECS, HERE)
        again = make_offer(CODECS, HERE._replace(version=2), "sendonly", previous=ours)
        described = SessionDescription.parse(again)
        assert shape(again) == [("audio", True), ("video", False)]
        assert {codec.name: codec.payload_type for codec in payloads(described.media[0])} == {
            "PCMA": 8,
            "PCMU": 0,
            "telephone-event": 96,
        }
        assert described.origin.version == "2"
        assert described.media[0].direction == "sendonly"

    def test_audio_returns_to_the_stream_that_was_in_use(self) -> None:
        ours, _ = answer(golden("secure_first"), CODECS, HERE)
        assert shape(make_offer(CODECS, HERE, previous=ours)) == [("audio", False), ("audio", True)]
        off, _ = answer(sdp("m=audio 0 RTP/AVP 0"), CODECS, HERE)
        assert shape(make_offer(CODECS, HERE, previous=off)) == [("audio", True)]


class TestAccept:
    def test_both_ends_agree(self) -> None:
        offer = make_offer(CODECS, HERE)
        data, theirs = answer(offer, (PCMU, TELEPHONE_EVENT), THERE)
        ours = accept(offer, data)
        assert ours is not None
        assert theirs is not None
        assert ours.codec.key == theirs.codec.key == PCMU.key
        assert (ours.remote_host, ours.remote_port) == (THERE.host, THERE.port)
        assert (ours.send_event_type, ours.receive_event_type) == (101, 101)

    def test_the_answerer_may_number_a_format_its_own_way(self) -> None:
        """RFC 3264 section 6.1: we send with the answer's number and receive with the offer's."""
        offer = make_offer(CODECS, HERE)
        reply = sdp("m=audio 5000 RTP/AVP 8 110", "a=rtpmap:110 telephone-event/8000", "a=ptime:30")
        audio = accept(offer, reply)
        assert audio is not None
        assert (audio.send_event_type, audio.receive_event_type) == (110, 101)
        assert audio.codec == PCMA
        assert audio.ptime_ms == 30

    @pytest.mark.parametrize(
        ("word", "send", "receive"),
        [("sendonly", False, True), ("recvonly", True, False), ("inactive", False, False)],
    )
    def test_the_answer_may_narrow_the_direction(self, word: str, send: bool, receive: bool) -> None:
        audio = accept(make_offer(CODECS, HERE), sdp("m=audio 5000 RTP/AVP 8", f"a={word}"))
        assert audio is not None
        assert (audio.send, audio.receive) == (send, receive)

    def test_an_answer_cannot_widen_a_hold(self) -> None:
        audio = accept(make_offer(CODECS, HERE, "sendonly"), sdp("m=audio 5000 RTP/AVP 8", "a=sendrecv"))
        assert audio is not None
        assert (audio.send, audio.receive) == (True, False)

    def test_multiplexing_needs_both(self) -> None:
        reply = sdp("m=audio 5000 RTP/AVP 8", "a=rtcp-mux")
        plain, both = make_offer(CODECS, HERE), make_offer(CODECS, HERE._replace(rtcp_mux=True))
        assert [getattr(accept(offer, reply), "rtcp_mux", None) for offer in (plain, both)] == [False, True]
        assert [getattr(accept(offer, reply), "remote_rtcp_port", None) for offer in (plain, both)] == [
            5001,
            5000,
        ]

    def test_a_refused_stream_gives_none(self) -> None:
        assert accept(make_offer(CODECS, HERE), sdp("m=audio 0 RTP/AVP 8")) is None
        assert accept(sdp(), sdp()) is None

    @pytest.mark.parametrize(
        ("reply", "label"),
        [
            (sdp(), "sdp_answer_shape"),
            (sdp("m=video 1 RTP/AVP 31"), "sdp_answer_shape"),
            (sdp("m=audio 5000 RTP/AVP 9"), "sdp_no_common_codec"),
            (sdp("m=audio 5000 RTP/SAVP 8"), "sdp_profile"),
            (b"junk", "sdp_line"),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_a_wrong_answer_is_typed(self, reply: bytes, label: str) -> None:
        with pytest.raises(SdpError) as caught:
            accept(make_offer(CODECS, HERE), reply)
        assert caught.value.label == label


_FORMATS = st.lists(
    st.sampled_from(["0", "8", "9", "18", "96", "97", "101", "127", "128", "x"]), min_size=1, max_size=8
)
_STREAM = st.builds(
    lambda kind, port, profile, formats, attributes: "\r\n".join(
        [f"m={kind} {port} {profile} {' '.join(formats)}", *attributes]
    ),
    st.sampled_from(["audio", "audio", "audio", "video", "application"]),
    st.sampled_from([0, 4000, 65535]),
    st.sampled_from(["RTP/AVP", "RTP/AVP", "RTP/AVPF", "RTP/SAVP", "udp"]),
    _FORMATS,
    st.lists(
        st.sampled_from(
            [
                "a=sendonly",
                "a=recvonly",
                "a=inactive",
                "a=rtpmap:96 telephone-event/8000",
                "a=rtpmap:97 PCMA/8000",
                "a=rtpmap:101 telephone-event/8000",
                "a=rtpmap:127 PCMU/16000",
                "a=rtcp-mux",
                "a=rtcp:9",
                "a=ptime:30",
                "c=IN IP4 0.0.0.0",
                "c=IN IP4 198.51.100.7",
            ]
        ),
        max_size=5,
    ),
)
_OFFERS = st.lists(_STREAM, max_size=6).map(lambda streams: sdp(*streams))
_DIRECTIONS = st.sampled_from(["sendrecv", "sendonly", "recvonly", "inactive"])


@given(_OFFERS, _DIRECTIONS, st.booleans())
def test_invariants_of_an_answer(offer: bytes, wish: str, mux: bool) -> None:
    """Same streams in the same order; codecs of the offer only; at most one stream on, as both allow."""
    with contextlib.suppress(SdpError):
        data, audio = answer(offer, CODECS, HERE._replace(rtcp_mux=mux), wish)
        asked, said = SessionDescription.parse(offer), SessionDescription.parse(data)
        assert [section.kind for section in said.media] == [section.kind for section in asked.media]
        assert [section.protocol for section in said.media] == [section.protocol for section in asked.media]
        live = [(mine, theirs) for mine, theirs in zip(said.media, asked.media, strict=True) if mine.port]
        assert len(live) == (audio is not None)
        for mine, theirs in live:
            assert theirs.port
            assert set(mine.formats) <= set(theirs.formats)
            assert {codec.key for codec in payloads(mine)} <= {codec.key for codec in CODECS}
            assert audio is not None
            assert audio.send <= (
                asked.direction_of(theirs) in ("sendrecv", "recvonly") and wish in ("sendrecv", "sendonly")
            )
            assert audio.receive <= (asked.direction_of(theirs) in ("sendrecv", "sendonly"))


@given(
    _DIRECTIONS,
    _DIRECTIONS,
    st.permutations(CODECS),
    st.sets(st.sampled_from((PCMU, PCMA, G722)), min_size=1),
)
def test_offerer_and_answerer_see_the_same_stream(
    first: str, second: str, codecs: list[Codec], other: set[Codec]
) -> None:
    """What one sends the other receives, with the same codec and payload type."""
    offer = make_offer(codecs, HERE, first)
    with contextlib.suppress(SdpError):
        data, theirs = answer(offer, [*other, TELEPHONE_EVENT], THERE, second)
        ours = accept(offer, data)
        assert ours is not None
        assert theirs is not None
        assert (ours.send, ours.receive) == (theirs.receive, theirs.send)
        assert ours.codec.key == theirs.codec.key
        assert (ours.send_payload_type, ours.receive_payload_type) == (
            theirs.receive_payload_type,
            theirs.send_payload_type,
        )
        assert ours.send_event_type == theirs.receive_event_type
