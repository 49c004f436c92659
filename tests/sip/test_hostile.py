"""Generated hostile messages at the message layer: only ParseError comes out (security rules A1, A2)."""

from __future__ import annotations

import contextlib
from collections import Counter
from random import Random

import pytest

from sip.errors import ParseError
from sip.framing import Bad, Frame, StreamFramer
from sip.message import Request, Response, parse_message, response_to
from sip.multipart import parse_multipart
from tests.hostile.sip_messages import MAX_SIZE, MUTATIONS, good_messages, hostile_messages

SEEDS = (1, 2, 3, 4)
COUNT = 5000  # for each seed

# What the layers above read without asking first: none of it may fail once a message is accepted.
READINGS = (
    "via",
    "vias",
    "from_",
    "to",
    "from_tag",
    "to_tag",
    "call_id",
    "cseq",
    "contacts",
    "contact_star",
    "record_routes",
    "expires",
    "content_type",
    "require",
    "supported",
    "allow",
    "event",
    "event_id",
)


def attempt(data: bytes) -> tuple[Request | Response | None, ParseError | None]:
    """Return the message or the reason why it is none."""
    try:
        return parse_message(data), None
    except ParseError as error:
        return None, error


def read_everything(message: Request | Response) -> None:
    """Read all that may be read of an accepted message, and write it again."""
    for name in READINGS:
        getattr(message, name)
    assert parse_message(message.serialise(), stream=True) == message
    if isinstance(message, Request):
        for name in ("request_uri", "routes", "max_forwards"):
            getattr(message, name)
        parse_message(response_to(message, 400, to_tag="t").serialise(), stream=True)
        message.headers.set("From", str(message.from_))
        message.replace_top_via(message.via.with_params(received="192.0.2.1", rport=5060))
        parse_message(message.serialise(), stream=True)
    if message.content_type == "multipart/mixed":
        with contextlib.suppress(ParseError):
            parse_multipart(message.body, message.headers.get("content-type") or "")


@pytest.mark.parametrize("seed", SEEDS)
def test_datagrams(seed: int) -> None:
    """A message is refused with a ParseError, or everything in it can be read, written and answered."""
    outcomes: Counter[str] = Counter()
    for data in hostile_messages(seed, COUNT):
        message, error = attempt(data)
        outcomes[error.label if error else "accepted"] += 1
        if message is not None:
            read_everything(message)
        elif error is not None and isinstance(error.message, Request):
            answer = response_to(error.message, error.status, to_tag="t")
            assert set(answer.headers.keys()) <= set(error.message.headers.keys())
            assert answer.serialise().startswith((b"SIP/2.0 4", b"SIP/2.0 5"))
    assert outcomes["accepted"] > COUNT / 10  # the suite does not just knock at the door
    assert len(outcomes) > 30


@pytest.mark.parametrize("seed", SEEDS)
def test_streams(seed: int) -> None:
    """Split at random offsets a message is framed as it is whole, and a frame is accepted or refused."""
    rng = Random(seed)
    for data in hostile_messages(seed, COUNT):
        whole, split = StreamFramer(0.0), StreamFramer(0.0)
        whole.receive(data, 0.0)
        cuts = sorted(rng.randrange(len(data) + 1) for _ in range(rng.randrange(6)))
        for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True):
            split.receive(data[start:end], 0.0)
        outputs = whole.take_outputs()
        assert [str(output) for output in split.take_outputs()] == [str(output) for output in outputs]
        for output in outputs:
            if isinstance(output, Frame):
                with contextlib.suppress(ParseError):
                    parse_message(output.data, stream=True)
            elif isinstance(output, Bad):
                assert output is outputs[-1]


def test_the_generator_is_deterministic() -> None:
    """The same seed gives the same messages; none is empty or too large for a datagram."""
    first = list(hostile_messages(7, 300))
    assert first == list(hostile_messages(7, 300))
    assert first != list(hostile_messages(8, 300))
    assert all(0 < len(data) <= MAX_SIZE for data in first)


def test_every_mutation_bites() -> None:
    """Each kind of mutation changes messages; the good ones among the starting points are good."""
    rng = Random(1)
    for mutate in MUTATIONS:
        assert any(mutate(data, rng) != data for data in good_messages()), mutate.__name__
    for data in good_messages()[:22]:
        parse_message(data, stream=True)
