"""Digest arithmetic by published vectors, and its two headers (RFC 7616)."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip.digest import Authorization, Challenge, base_algorithm, digest_response, ha1, is_supported, same
from sip.errors import Misuse, ParseError

SDP = (
    b"v=0\r\no=bob 2890844526 2890844526 IN IP4 media.biloxi.com\r\ns=-\r\n"
    b"c=IN IP4 media.biloxi.com\r\nt=0 0\r\nm=audio 49170 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
    b"m=video 51372 RTP/AVP 31\r\na=rtpmap:31 H261/90000\r\nm=video 53000 RTP/AVP 32\r\n"
    b"a=rtpmap:32 MPV/90000\r\n"
)


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_rfc_7616_section_3_9_1(algorithm: str, response: str) -> None:
    secret = ha1("Mufasa", "http-auth@example.org", "Circle of Life", algorithm)
    assert response == digest_response(
        algorithm,
        secret,
        nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
        method="GET",
        uri="/dir/index.html",
        qop="auth",
        nc="00000001",
        cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
    )


def test_rfc_7616_section_3_9_2_with_the_value_of_its_erratum_4897() -> None:
    secret = ha1("Jäsøn Doe", "api@example.org", "Secret, or not?", "SHA-512-256")
    assert (
        digest_response(
            "SHA-512-256",
            secret,
            nonce="5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK",
            method="GET",
            uri="/doe.json",
            qop="auth",
            nc="00000001",
            cnonce="NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v",
        )
        == "3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5"
    )


def test_rfc_2617_section_3_5() -> None:
    secret = ha1("Mufasa", "testrealm@host.com", "Circle Of Life")
    assert secret == "939e7578ed9e3c518a452acee763bce9"
    assert (
        digest_response(
            "MD5",
            secret,
            nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093",
            method="GET",
            uri="/dir/index.html",
            qop="auth",
            nc="00000001",
            cnonce="0a4f113b",
        )
        == "6629fae49393a05397450978507c4ef1"
    )


@pytest.mark.parametrize(
    ("algorithm", "qop", "response"),
    [
        ("MD5", None, "bf57e4e0d0bffc0fbaedce64d59add5e"),
        ("MD5", "auth", "89eb0059246c02b2f6ee02c7961d5ea3"),
        ("MD5-sess", "auth", "e4e4ea61d186d07a92c9e1f6919902e9"),
        ("MD5", "auth-int", "bdbeebb2da6adb6bca02599c2239e192"),
        ("MD5-sess", "auth-int", "91984da2d8663716e91554859c22ca70"),
    ],
)
def test_the_sip_examples_of_draft_smith_sipping_auth_examples(
    algorithm: str, qop: str | None, response: str
) -> None:
    header = Authorization(
        username="bob",
        realm="biloxi.com",
        nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093",
        uri="sip:bob@biloxi.com",
        response=response,
        algorithm=algorithm,
        qop=qop,
        nc="00000001" if qop else "",
        cnonce="0a4f113b" if qop else "",
    )
    assert same(header.expected(ha1("bob", "biloxi.com", "zanzibar", algorithm), "INVITE", SDP), response)


def test_without_an_algorithm_it_is_md5() -> None:
    header = Authorization("bob", "biloxi.com", "n", "sip:biloxi.com", "")
    secret = ha1("bob", "biloxi.com", "zanzibar")
    assert header.expected(secret, "REGISTER", b"") == replace(header, algorithm="MD5").expected(
        secret, "REGISTER", b""
    )


def test_an_unknown_algorithm_is_a_misuse() -> None:
    assert is_supported("SHA-256-sess")
    assert not is_supported("SHA-1")
    assert base_algorithm("MD5-sess") == "MD5"
    with pytest.raises(Misuse):
        ha1("a", "b", "c", "SHA-1")


def test_hashes_compare_in_either_case_and_with_anything() -> None:
    assert same("abcdef", "ABCDEF")
    assert not same("abcdef", "abcdee")
    assert not same("abcdef", "\u00e9\udc80")


def test_a_challenge_is_read_whatever_its_spelling() -> None:
    [challenge] = Challenge.parse_all(
        'dIGEST  Realm = "a \\"b\\", c" ,nonce="n",, ALGORITHM="sha-256", qop="auth , auth-int",'
        " stale=TRUE, opaque=\"o\", domain='x', later=1"
    )
    assert challenge == Challenge(
        'a "b", c', "n", "SHA-256", ("auth", "auth-int"), "o", stale=True, domain="'x'"
    )


def test_several_challenges_in_one_header_are_told_apart_and_other_schemes_passed_over() -> None:
    challenges = Challenge.parse_all(
        'Negotiate YII/abc==, Basic realm="x", charset="UTF-8", Digest realm="r", nonce="1",'
        ' algorithm=SHA-256, Bearer, ==, Digest realm="r", nonce="2",'
        ' Digest realm="s", nonce="3", algorithm=AKAv1-MD5'
    )
    assert [(c.realm, c.nonce, c.algorithm) for c in challenges] == [
        ("r", "1", "SHA-256"), ("r", "2", None), ("s", "3", "AKAv1-MD5"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ('Digest realm="r"', "digest_incomplete"),
        ('Digest nonce="r"', "digest_incomplete"),
        ("Digest", "digest_incomplete"),
        ('realm="r", nonce="n"', "digest_syntax"),
        ('"realm"', "digest_syntax"),
        ('Digest realm="r", nonce="n", ="x"', "digest_syntax"),
        ('Digest realm="r", realm="r", nonce="n"', "digest_repeated"),
        ('Digest realm="r" x, nonce="n"', "digest_syntax"),
        ("Digest realm=, nonce=n", "digest_syntax"),
        ("Digest realm=a b, nonce=n", "digest_syntax"),
        ("Digest realm=r, nonce=a\x01b", "digest_syntax"),
        ('Digest realm="r, nonce=n', "quote"),
        ("Digest(realm=r, nonce=n", "digest_syntax"),
        ("Digest realm=r, no(nce=n", "digest_syntax"),
        ("Digest " + ",".join(f"a{n}=1" for n in range(40)), "digest_size"),
    ],
)
def test_a_broken_challenge_is_a_typed_error(text: str, label: str) -> None:
    with pytest.raises(ParseError) as caught:
        Challenge.parse_all(text)
    assert caught.value.label == label


GOOD = (
    'Digest username="bob", realm="r", nonce="n", uri="sip:r", response="00", algorithm=MD5, cnonce="c",'
    ' qop=auth, nc=0000000A, opaque="o"'
)


def test_an_answer_is_read_and_written_back() -> None:
    header = Authorization.parse(GOOD)
    assert header is not None
    assert (header.username, header.qop, header.nc, header.count) == ("bob", "auth", "0000000A", 10)
    assert str(header) == GOOD
    assert Authorization.parse("Basic Ym9iOng=") is None


def test_an_answer_without_qop_has_no_count() -> None:
    header = Authorization.parse('Digest username="b",realm="r",nonce="n",uri="u",response="x",nc=zz')
    assert header is not None
    assert (header.qop, header.nc, header.count) == (None, "", 0)


@pytest.mark.parametrize("missing", ["username", "realm", "nonce", "uri", "response", "nc", "cnonce"])
def test_an_answer_without_one_of_its_parameters_is_refused(missing: str) -> None:
    with pytest.raises(ParseError, match="digest_incomplete"):
        Authorization.parse(GOOD.replace(f" {missing}=", f" x-{missing}="))


@pytest.mark.parametrize("nc", ["1", "0000000g", "+0000001", "000000001", "0x000001"])
def test_a_nonce_count_is_eight_hexadecimal_digits(nc: str) -> None:
    with pytest.raises(ParseError, match="digest_nc"):
        Authorization.parse(GOOD.replace("0000000A", nc))


def test_two_answers_in_one_header_are_refused() -> None:
    with pytest.raises(ParseError, match="digest_repeated"):
        Authorization.parse(f"{GOOD}, {GOOD}")


TEXT = st.text(st.characters(blacklist_categories=["Cc", "Cs"]), max_size=20)


@given(st.builds(Challenge, TEXT, TEXT, st.sampled_from([None, "MD5", "SHA-256-sess"]),
                 st.sampled_from([(), ("auth",), ("auth", "auth-int")]), st.none() | TEXT, st.booleans(),
                 st.none() | TEXT))  # fmt: skip
def test_what_is_written_reads_the_same(challenge: Challenge) -> None:
    assert Challenge.parse_all(str(challenge)) == [challenge]


@given(st.builds(Authorization, TEXT, TEXT, TEXT, TEXT, TEXT, st.sampled_from([None, "SHA-256"]),
                 st.just("auth"), st.just("00000001"), TEXT, st.none() | TEXT))  # fmt: skip
def test_an_answer_written_reads_the_same(header: Authorization) -> None:
    assert Authorization.parse(str(header)) == header


PIECE = ["Digest ", "realm=", '"r"', ",", " ", "nonce=", "x", "=", '"', "\\", "<", ">", "Basic ", "\t", "é"]
PIECES = st.lists(st.sampled_from(PIECE), max_size=30).map("".join)


@given(st.one_of(st.text(max_size=80), PIECES, PIECES.map("Digest ".__add__)))
def test_any_text_parses_or_raises_the_typed_error(text: str) -> None:
    with contextlib.suppress(ParseError):
        Challenge.parse_all(text)
    with contextlib.suppress(ParseError):
        Authorization.parse(text)
