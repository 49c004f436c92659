"""The JSON lines between a softphone in a child process and the program that drives it."""

from __future__ import annotations

import msgspec


class Command(msgspec.Struct, forbid_unknown_fields=True):
    """Do something: ``{"id": 1, "do": "call", "with": {"uri": "sip:5000@127.0.0.1"}}``."""

    id: int
    do: str
    arguments: dict[str, object] = msgspec.field(name="with", default_factory=dict)


class Reply(msgspec.Struct, tag_field="type", tag="reply"):
    """What came of a command; ``late``: time ran out; ``status``: the SIP status when the answer was no."""

    id: int
    ok: bool
    result: object = None
    error: str = ""
    status: int = 0
    late: bool = False


class Notice(msgspec.Struct, tag_field="type", tag="event"):
    """A ``PhoneEvent``, as it happens."""

    event: str
    call: int
    text: str
    code: int
    extra: str
