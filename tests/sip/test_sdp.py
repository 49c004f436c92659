"""Session descriptions: golden files, limits, and any bytes."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip.sdp import MAX_BYTES, MediaSection, SdpError, SessionDescription, number

GOLDEN = Path(__file__).parents[1] / "golden" / "sdp"
GOOD = sorted(path for path in GOLDEN.glob("*.sdp") if not path.name.startswith("bad_"))
BAD = sorted(GOLDEN.glob("bad_*.sdp"))
HEAD = b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"


def sections(count: int) -> bytes:
    return HEAD + b"m=audio 4000 RTP/AVP 0\r\n" * count


def refusal(data: bytes) -> SdpError:
    with pytest.raises(SdpError) as caught:
        SessionDescription.parse(data)
    return caught.value


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_a_golden_description_is_stable(path: Path) -> None:
    """What was written once is read to the same value and written to the same bytes."""
    first = SessionDescription.parse(path.read_bytes())
    written = first.serialise()
    assert SessionDescription.parse(written) == first
    assert SessionDescription.parse(written).serialise() == written


def test_canonical_files_come_back_byte_for_byte() -> None:
    for name in ("sipp_uac", "hold_2543", "secure_first", "rfc4317_2_1", "pjsua"):
        data = (GOLDEN / f"{name}.sdp").read_bytes()
        assert SessionDescription.parse(data).serialise() == data, name


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_a_bad_file_is_refused_by_its_name(path: Path) -> None:
    """``bad_<label>__<status>.sdp`` raises exactly that."""
    label, status = path.stem.removeprefix("bad_").split("__")
    error = refusal(path.read_bytes())
    assert (error.label, error.status) == (label, int(status))


def test_fields_of_a_description() -> None:
    described = SessionDescription.parse((GOLDEN / "pjsua.sdp").read_bytes())
    audio = described.media[0]
    assert described.origin.host == "192.0.2.10"
    assert described.name == "pjmedia"
    assert described.host is None
    assert described.host_of(audio) == "192.0.2.10"
    assert (audio.kind, audio.port, audio.protocol, len(audio.formats)) == ("audio", 4000, "RTP/AVP", 9)
    assert audio.attribute("rtcp") == "4001 IN IP4 192.0.2.10"
    assert audio.attribute("sendrecv") == ""
    assert audio.attribute("rtcp-mux") is None
    assert ("b", "TIAS:64000") in audio.others
    assert described.times == ["0 0"]


def test_line_feeds_alone_and_blank_lines_are_read() -> None:
    assert SessionDescription.parse(sections(1).replace(b"\r\n", b"\n") + b"\n\n").media[0].port == 4000


def test_the_direction_of_the_session_applies_where_a_stream_has_none() -> None:
    described = SessionDescription.parse(
        HEAD + b"a=sendonly\r\nm=audio 1 RTP/AVP 0\r\nm=audio 2 RTP/AVP 0\r\na=inactive\r\n"
    )
    assert [described.direction_of(section) for section in described.media] == ["sendonly", "inactive"]
    plain = SessionDescription.parse(sections(1))
    assert plain.direction_of(plain.media[0]) == "sendrecv"


def test_a_port_count_and_a_multicast_lifetime_are_read() -> None:
    described = SessionDescription.parse(HEAD + b"m=audio 4000/2 RTP/AVP 0\r\nc=IN IP4 224.2.1.1/127/3\r\n")
    assert described.media[0].port_count == 2
    assert described.media[0].host == "224.2.1.1"
    assert b"m=audio 4000/2 RTP/AVP 0" in described.serialise()


def test_an_unknown_line_type_is_dropped() -> None:
    assert b"q=" not in SessionDescription.parse(HEAD + b"q=1\r\n").serialise()


@pytest.mark.parametrize(
    ("data", "label"),
    [
        (sections(17), "sdp_media_count"),
        (HEAD + b"m=audio 1 RTP/AVP" + b" 0" * 65 + b"\r\n", "sdp_format_count"),
        (sections(1) + b"a=candidate:x\r\n" * 65, "sdp_candidate_count"),
        (sections(1) + b"a=crypto:x\r\n" * 9, "sdp_crypto_count"),
        (sections(1) + b"a=x\r\n" * 513, "sdp_attribute_count"),
        (HEAD + b"a=" + b"x" * MAX_BYTES, "sdp_size"),
        (HEAD + b"m=audio 4000/0 RTP/AVP 0\r\n", "sdp_port"),
        (HEAD + b"m=audio +400 RTP/AVP 0\r\n", "sdp_port"),
        (HEAD + "m=audio ٤٠٠ RTP/AVP 0\r\n".encode(), "sdp_media_line"),
        (HEAD + b"m=au\tdio 4000 RTP/AVP 0\r\n", "sdp_media_line"),
        (HEAD + b"m=audio  RTP/AVP 0\r\n", "sdp_media_line"),
        (HEAD + b"c=IN IP4 /127\r\n" + b"m=audio 1 RTP/AVP 0\r\nc=IN IP4 /1\r\n", "sdp_connection"),
        (b"v=0\r\no=- 1 1 IN IP5 h\r\n", "sdp_origin"),
        (b"m=audio 1 RTP/AVP 0\r\n", "sdp_version"),
        (HEAD + b"A=x\r\n", "sdp_line"),
        (b"", "sdp_version"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_beyond_a_limit_or_a_form_it_is_refused(data: bytes, label: str) -> None:
    assert refusal(data).label == label


def test_the_limits_themselves_are_accepted() -> None:
    """Each bound at its edge (the security requirements E1)."""
    assert len(SessionDescription.parse(sections(16)).media) == 16
    assert len(SessionDescription.parse(HEAD + b"m=audio 1 RTP/AVP" + b" 0" * 64).media[0].formats) == 64
    full = sections(1) + b"a=candidate:x\r\n" * 64 + b"a=crypto:x\r\n" * 8
    assert len(SessionDescription.parse(full).media[0].attributes) == 72
    padding = HEAD + b"a="
    assert SessionDescription.parse(padding + b"x" * (MAX_BYTES - len(padding))).attributes


def test_a_thousand_streams_are_refused_before_they_are_read() -> None:
    """The refusal looks at no line: the same happens when the lines are nonsense."""
    assert refusal(sections(1000)).label == "sdp_media_count"
    assert refusal(HEAD + b"m=\r\n" * 1000).label == "sdp_media_count"


def test_an_error_says_its_label_and_detail() -> None:
    assert str(SdpError("sdp_port", 488, "70000")) == "sdp_port: 70000"
    assert SdpError("sdp_port").status == 488


@pytest.mark.parametrize("text", ["", "+5", "1_0", " 5", "5 ", "٥", "-1", "70000", "99999999999"])
def test_only_ascii_digits_in_range_are_numbers(text: str) -> None:
    assert number(text, 65535) is None
    assert number("65535", 65535) == 65535


@given(st.binary(max_size=400))
def test_any_bytes_parse_or_raise_the_typed_error(data: bytes) -> None:
    with contextlib.suppress(SdpError):
        SessionDescription.parse(data)


_LINES = st.sampled_from(
    [
        "m=audio 4000 RTP/AVP 0 8",
        "m=video 0 RTP/AVP 31",
        "c=IN IP4 192.0.2.9",
        "c=IN IP6 2001:db8::1",
        "a=sendrecv",
        "a=rtpmap:8 PCMA/8000",
        "a=",
        "a=:",
        "b=AS:64",
        "k=clear:x",
        "i=about",
        "t=1 2",
        "r=7d 1h 0",
        "e=a@b",
        "o=x",
        "s=",
        "s=again",
        "v=0",
        "p=+1",
        "u=http://x",
        "z=0 0",
        "m=application 9 UDP/BFCP *",
        "q=?",
    ]
)


@given(st.lists(_LINES, max_size=25))
def test_parse_of_serialise_is_the_same_description(lines: list[str]) -> None:
    data = HEAD + "\r\n".join(lines).encode()
    with contextlib.suppress(SdpError):
        described = SessionDescription.parse(data)
        assert SessionDescription.parse(described.serialise()) == described


@given(st.binary(max_size=60))
def test_any_tail_after_a_good_head_is_read_or_refused(tail: bytes) -> None:
    with contextlib.suppress(SdpError):
        described = SessionDescription.parse(sections(1) + tail)
        assert isinstance(described.media[0], MediaSection)
