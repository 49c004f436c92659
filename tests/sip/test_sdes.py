"""SDP security descriptions (RFC 4568): lines, and offers and answers with keys."""

from __future__ import annotations

import base64
import contextlib
import itertools
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip.offer_answer import PCMU, TELEPHONE_EVENT, Audio, LocalMedia, accept, answer, make_offer
from sip.sdes import PLAIN, SUITES, Crypto, CryptoError, Keys, OwnKeys, Security, Suite, without_keys
from sip.sdp import SdpError, SessionDescription

CODECS = (PCMU, TELEPHONE_EVENT)
HERE = LocalMedia("203.0.113.1", 40000, 7, 1)
THERE = LocalMedia("192.0.2.10", 4000, 9, 1)
RFC_KEY = "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj"  # of RFC 4568 section 4
CM80 = "AES_CM_128_HMAC_SHA1_80"
HEAD = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"


def sdp(*lines: str) -> bytes:
    return (HEAD + "".join(f"{line}\r\n" for line in lines)).encode()


def drawing() -> Callable[[int], bytes]:
    """Keys that can be told apart: 1, 1, 1...; 2, 2, 2..."""
    numbers = itertools.count(1)
    return lambda size: bytes([next(numbers)]) * size


def security(start: int = 0, *, required: bool = True, best_effort: bool = False) -> Security:
    keys = OwnKeys(drawing()) if not start else OwnKeys(lambda size: bytes([start]) * size)
    return Security(keys, required, best_effort)


def crypto(data: bytes) -> list[str]:
    section = SessionDescription.parse(data).media[0]
    return [value or "" for name, value in section.attributes if name == "crypto"]


def line(tag: int, suite: Suite, fill: int = 0x55) -> str:
    return f"a=crypto:{tag} {suite.name} inline:{base64.b64encode(bytes([fill]) * suite.size).decode()}"


def refused(offer: bytes, mine: Security) -> str:
    with pytest.raises(SdpError) as caught:
        answer(offer, CODECS, HERE._replace(security=mine))
    assert caught.value.status == 488
    return caught.value.label


def label(value: str) -> str:
    with pytest.raises(CryptoError) as caught:
        Crypto.parse(value)
    return caught.value.label


class TestLine:
    def test_the_sdes_example(self) -> None:
        """A line of RFC 4568 without its MKI: tag, suite, thirty octets, lifetime."""
        found = Crypto.parse(f"1 {CM80} inline:{RFC_KEY}|2^20")
        assert (found.tag, found.suite.name, found.lifetime) == (1, CM80, 1 << 20)
        assert found.key == base64.b64decode(RFC_KEY)
        assert Crypto.parse(found.serialise()) == found

    @pytest.mark.parametrize(
        ("value", "why"),
        [
            (f"1 {CM80} inline:PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR|2^20|1:32", "mki"),
            (f"1 {CM80} inline:{RFC_KEY}|1066:4", "mki"),
            (
                f"2 F8_128_HMAC_SHA1_80 inline:{RFC_KEY}|2^20|1:4;inline:{RFC_KEY}|2^20|2:4 FEC_ORDER=FEC_SRTP",
                "suite",
            ),
            (f"1 {CM80} inline:{RFC_KEY}|2^20|1:4;inline:{RFC_KEY}|2^20|2:4", "keys"),
            (f"1 {CM80} inline:{RFC_KEY} KDR=1", "parameter"),
            (f"1 {CM80} inline:{RFC_KEY} UNENCRYPTED_SRTCP", "parameter"),
            (f"1 {CM80} inline:{RFC_KEY} UNAUTHENTICATED_SRTP", "parameter"),
            (f"1 {CM80} inline:{RFC_KEY} FEC_ORDER=FEC_SRTP", "parameter"),
            (f"1 {CM80} inline:{RFC_KEY} SOMETHING=new", "parameter"),
            (f"1 {CM80} inline:{RFC_KEY[:-4]}", "key_length"),
            (f"1 {CM80} inline:{RFC_KEY}AAAA", "key_length"),
            (f"1 AEAD_AES_128_GCM inline:{RFC_KEY}", "key_length"),
            (f"1 AEAD_AES_256_GCM inline:{RFC_KEY}", "key_length"),
            (f"1 {CM80} inline:", "syntax"),
            (f"1 {CM80} inline:{RFC_KEY[:-1]}", "key_length"),
            (f"1 {CM80} inline:{RFC_KEY[:-1]}!", "syntax"),
            (f"1 {CM80} uri:{RFC_KEY}", "syntax"),
            (f"1 {CM80} {RFC_KEY}", "syntax"),
            (f"1 {CM80}", "syntax"),
            (f"-1 {CM80} inline:{RFC_KEY}", "syntax"),
            (f"1234567890 {CM80} inline:{RFC_KEY}", "syntax"),
            (f"١ {CM80} inline:{RFC_KEY}", "syntax"),
            ("", "syntax"),
            (f"1 {CM80} inline:{RFC_KEY}|2^49", "lifetime"),
            (f"1 {CM80} inline:{RFC_KEY}|2^4", "lifetime"),
            (f"1 {CM80} inline:{RFC_KEY}|0", "lifetime"),
            (f"1 {CM80} inline:{RFC_KEY}|soon", "lifetime"),
            (f"1 {CM80} inline:{RFC_KEY}|2^31|2^31", "syntax"),
        ],
    )
    def test_what_is_not_taken(self, value: str, why: str) -> None:
        """Every line we cannot do exactly as it says is refused, by a stable word."""
        assert label(value) == why

    def test_what_may_be_passed_over(self) -> None:
        """A window's size is advice, and a parameter with a hyphen may be unknown (section 6.3)."""
        assert Crypto.parse(f"7 {CM80}  inline:{RFC_KEY}|1048576 WSH=64 -x=1 ").tag == 7

    def test_missing_padding_is_forgiven(self) -> None:
        """A GCM-128 key of 28 octets has two signs of it."""
        text = base64.b64encode(bytes(28)).decode().rstrip("=")
        assert Crypto.parse(f"1 AEAD_AES_128_GCM inline:{text}").key == bytes(28)

    @given(
        st.builds(
            lambda tag, suite, data, lifetime: Crypto(tag, suite, data[: suite.size], lifetime),
            st.integers(0, 999_999_999),
            st.sampled_from(SUITES),
            st.binary(min_size=44, max_size=44),
            st.none() | st.integers(1 << 20, 9_999_999_999),
        )
    )
    def test_round_trip(self, value: Crypto) -> None:
        assert Crypto.parse(value.serialise()) == value

    @given(st.text(max_size=120) | st.text("0123456789 AES_CMinline:|;^+/=-", max_size=120))
    def test_junk_is_typed(self, junk: str) -> None:
        """Any text is a line or a CryptoError; no error shows what it was."""
        with contextlib.suppress(CryptoError):
            Crypto.parse(junk)


class TestAnswer:
    @pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.name)
    @pytest.mark.parametrize("profile", ["RTP/SAVP", "RTP/SAVPF"])
    def test_a_secure_offer(self, suite: Suite, profile: str) -> None:
        """Its tag and suite come back with a key of ours; each side has both keys."""
        offer = sdp(f"m=audio 4000 {profile} 0", line(3, suite))
        data, audio = answer(offer, CODECS, HERE._replace(security=security()))
        assert audio is not None
        own = bytes([1]) * suite.size
        assert audio.keys == Keys(suite.name, own, b"\x55" * suite.size)
        assert crypto(data) == [f"3 {suite.name} inline:{base64.b64encode(own).decode()}"]
        assert SessionDescription.parse(data).media[0].protocol == profile
        back = accept(offer, data)
        assert back is not None
        assert back.keys == Keys(suite.name, b"\x55" * suite.size, own)

    def test_the_first_line_we_can_do_is_chosen(self) -> None:
        """The offerer's order decides; what we cannot do, or is broken, is passed over."""
        offer = sdp(
            "m=audio 4000 RTP/SAVP 0",
            f"a=crypto:1 {CM80} inline:{RFC_KEY}|2^20|1:32",
            "a=crypto:2 AEAD_AES_128_GCM inline:AAAA",
            line(3, SUITES[3]),
            line(4, SUITES[0]),
        )
        assert crypto(answer(offer, CODECS, HERE._replace(security=security()))[0])[0].startswith("3 ")

    def test_a_wrong_key_length_is_refused(self) -> None:
        """488 when nothing else is offered (security F4), and without showing the key."""
        offer = sdp("m=audio 4000 RTP/SAVP 0", f"a=crypto:1 AEAD_AES_128_GCM inline:{RFC_KEY}")
        assert refused(offer, security()) == "sdp_crypto_key_length"
        with pytest.raises(SdpError) as caught:
            answer(offer, CODECS, HERE._replace(security=security()))
        assert RFC_KEY not in f"{caught.value!r} {caught.value}"

    def test_refusals(self) -> None:
        """Keys that we may not use, that are missing, doubled, ours; plain RTP where it is not allowed."""
        secure = sdp("m=audio 4000 RTP/SAVP 0", line(1, SUITES[0]))
        assert refused(secure, PLAIN) == "sdp_profile"
        assert refused(secure, Security(None, required=True)) == "sdp_profile"
        assert refused(sdp("m=audio 4000 RTP/SAVP 0"), security()) == "sdp_crypto_missing"
        assert refused(sdp("m=audio 4000 RTP/AVP 0"), security()) == "srtp_required"
        assert refused(sdp("m=audio 4000 RTP/AVP 0"), Security(None, required=True)) == "srtp_required"
        assert refused(sdp("m=audio 4000 RTP/AVP 0", line(1, SUITES[0])), security()) == "srtp_required"
        double = sdp("m=audio 4000 RTP/SAVP 0", line(1, SUITES[0]), line(1, SUITES[1]))
        assert refused(double, security()) == "sdp_crypto_tag"
        assert refused(secure, security(0x55)) == "sdp_crypto_reflected"
        nine = [line(tag, SUITES[0]) for tag in range(9)]
        assert refused(sdp("m=audio 4000 RTP/SAVP 0", *nine), security()) == "sdp_crypto_count"
        assert refused(sdp("m=audio 4000 UDP/TLS/RTP/SAVPF 0"), security()) == "sdp_profile"

    def test_of_two_streams_the_acceptable_one(self) -> None:
        """A phone that offers a secure stream and a plain one gets the one we may take."""
        offer = sdp("m=audio 4000 RTP/AVP 0", "m=audio 4002 RTP/SAVP 0", line(1, SUITES[0]))
        data, audio = answer(offer, CODECS, HERE._replace(security=security()))
        assert audio is not None
        assert (audio.remote_port, audio.keys is not None) == (4002, True)
        assert [section.port for section in SessionDescription.parse(data).media] == [0, 40000]

    def test_keys_beside_plain_rtp(self) -> None:
        """Taken only where best effort is on (RFC 8643); without keys it stays plain."""
        offer = sdp("m=audio 4000 RTP/AVP 0", line(1, SUITES[0]))
        taken = answer(offer, CODECS, HERE._replace(security=security(required=False, best_effort=True)))
        assert taken[1] is not None
        assert taken[1].keys is not None
        assert SessionDescription.parse(taken[0]).media[0].protocol == "RTP/AVP"
        left = answer(offer, CODECS, HERE._replace(security=security(required=False)))
        assert left[1] is not None
        assert left[1].keys is None
        assert crypto(left[0]) == []
        plain = sdp("m=audio 4000 RTP/AVP 0")
        assert answer(plain, CODECS, HERE._replace(security=security(required=False, best_effort=True)))[1]


class TestOffer:
    def test_gcm_comes_first(self) -> None:
        """Every suite has a line and a key of its own, and the profile says it is meant."""
        data = make_offer(CODECS, HERE._replace(security=security()))
        assert [value.split()[1] for value in crypto(data)] == [suite.name for suite in SUITES]
        assert len({value.split()[2][:20] for value in crypto(data)}) == 4
        assert SessionDescription.parse(data).media[0].protocol == "RTP/SAVP"

    def test_optional_offers_plain_rtp(self) -> None:
        """With keys beside it only where best effort is on."""
        plain = make_offer(CODECS, HERE._replace(security=security(required=False)))
        assert b"RTP/AVP" in plain
        assert crypto(plain) == []
        both = make_offer(CODECS, HERE._replace(security=security(required=False, best_effort=True)))
        assert b"RTP/AVP" in both
        assert len(crypto(both)) == 4

    def test_required_without_keys_offers_nothing(self) -> None:
        """Signalling that anybody can read carries no keys."""
        with pytest.raises(SdpError) as caught:
            make_offer(CODECS, HERE._replace(security=Security(None, required=True)))
        assert caught.value.label == "srtp_insecure_signalling"

    def test_a_secure_call_stays_secure(self) -> None:
        """A re-offer keeps the profile and our keys, also where plain RTP would do."""
        mine = security(required=False)
        before, _ = answer(
            sdp("m=audio 4000 RTP/SAVPF 0", line(5, SUITES[2])), CODECS, HERE._replace(security=mine)
        )
        again = make_offer(CODECS, HERE._replace(security=mine), previous=before)
        assert SessionDescription.parse(again).media[0].protocol == "RTP/SAVPF"
        key = crypto(before)[0].split()[2]
        assert key in [value.split()[2] for value in crypto(again)]
        assert again == make_offer(CODECS, HERE._replace(security=mine), previous=again)

    def test_both_ends_agree(self) -> None:
        """What one sends with the other receives with, for required and for best effort."""
        for mine, theirs in (
            (security(1), security(2)),
            (security(1, required=False, best_effort=True), security(2, required=False, best_effort=True)),
        ):
            offer = make_offer(CODECS, HERE._replace(security=mine))
            reply, far = answer(offer, CODECS, THERE._replace(security=theirs))
            near = accept(offer, reply)
            assert near is not None
            assert far is not None
            assert near.keys is not None
            assert far.keys is not None
            assert (near.keys.suite, near.keys.send, near.keys.receive) == (
                "AEAD_AES_128_GCM",
                far.keys.receive,
                far.keys.send,
            )

    def test_answers_that_are_not_to_our_offer(self) -> None:
        """Another profile, tag, suite or number of lines, or our own key: the answer is not used."""
        mine = security()
        offer = make_offer(CODECS, HERE._replace(security=mine))
        own = crypto(offer)[0]
        for wrong, *lines in (
            ("sdp_profile", "m=audio 5000 RTP/AVP 0"),
            ("sdp_crypto_missing", "m=audio 5000 RTP/SAVP 0"),
            ("sdp_crypto_choice", "m=audio 5000 RTP/SAVP 0", line(9, SUITES[0])),
            ("sdp_crypto_choice", "m=audio 5000 RTP/SAVP 0", line(1, SUITES[1])),
            ("sdp_crypto_choice", "m=audio 5000 RTP/SAVP 0", line(1, SUITES[0]), line(2, SUITES[1])),
            ("sdp_crypto_reflected", "m=audio 5000 RTP/SAVP 0", f"a=crypto:{own}"),
            ("sdp_crypto_key_length", "m=audio 5000 RTP/SAVP 0", "a=crypto:1 AEAD_AES_128_GCM inline:AAAA"),
        ):
            with pytest.raises(SdpError) as caught:
                accept(offer, sdp(*lines))
            assert caught.value.label == wrong

    def test_best_effort_may_be_declined(self) -> None:
        """An answer without keys to keys beside plain RTP: plain RTP."""
        offer = make_offer(CODECS, HERE._replace(security=security(required=False, best_effort=True)))
        audio = accept(offer, sdp("m=audio 5000 RTP/AVP 0"))
        assert isinstance(audio, Audio)
        assert audio.keys is None


class TestKeysOverACall:
    def again(self, keys: OwnKeys, fill: int, port: int = 4000) -> bytes:
        offer = sdp(f"m=audio {port} RTP/SAVP 0", line(1, SUITES[0], fill))
        audio = answer(offer, CODECS, HERE._replace(security=Security(keys, required=True)))[1]
        assert audio is not None
        assert audio.keys is not None
        return audio.keys.send

    def test_a_refresh_changes_nothing(self) -> None:
        """The same offer again, hold, or the peer's new key alone: our key is the same."""
        keys = OwnKeys(drawing())
        first = self.again(keys, 0x55)
        assert self.again(keys, 0x55) == first
        assert self.again(keys, 0x55, port=4002) == first
        assert self.again(keys, 0x66, port=4002) == first

    def test_another_peer_gets_another_key(self) -> None:
        """Another key from another address: whoever it is does not know our roll-over counter."""
        keys = OwnKeys(drawing())
        assert self.again(keys, 0x55) != self.again(keys, 0x66, port=4002)


def test_keys_are_never_shown() -> None:
    """No repr, and no description made fit for a log, holds a key (security F4)."""
    keys = OwnKeys(drawing())
    offer = make_offer(CODECS, HERE._replace(security=Security(keys, required=True)))
    secret = crypto(offer)[0].split()[2].removeprefix("inline:")
    _, audio = answer(offer, CODECS, THERE._replace(security=security(9)))
    shown = [keys, HERE._replace(security=Security(keys)), audio, Crypto.parse(crypto(offer)[0])]
    for thing in shown:
        text = f"{thing!r} {thing}"
        assert secret not in text
        assert "\\x01\\x01" not in text
        assert "AEAD_AES_128_GCM" in text
    masked = without_keys(offer)
    assert secret.encode() not in masked
    assert masked.count(b"inline:***") == 4
