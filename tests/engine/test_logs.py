"""Log lines: one event, one line, whatever is in it."""

from __future__ import annotations

import io
import json

from twisted.logger import LogLevel
from twisted.python.failure import Failure

from engine.config.sections import LogSection
from engine.logs import LineObserver, Logging


def event(text: str, **fields: object) -> dict[str, object]:
    return {"log_format": "{text}", "text": text, "log_level": LogLevel.warn, "log_time": 0.0, **fields}


def test_text_from_the_network_cannot_begin_a_line() -> None:
    """Line ends and escapes are shown, not written."""
    out = io.StringIO()
    LineObserver(out, "text")(event("bob\r\n1970 forged \x1b[31m"))
    assert out.getvalue() == "1970-01-01T00:00:00.000Z warn  bob\\x0d\\x0a1970 forged \\x1b[31m\n"


def test_a_failure_stays_on_its_line() -> None:
    """A traceback is one line too."""
    out = io.StringIO()
    LineObserver(out, "text")(event("it broke", log_failure=Failure(ValueError("why"))))
    assert out.getvalue().count("\n") == 1
    assert "ValueError" in out.getvalue()


def test_json_carries_the_call() -> None:
    """The call's id is a field of its own."""
    out = io.StringIO()
    LineObserver(out, "json")(event("ended", call_id="abc", log_namespace="engine.call"))
    assert json.loads(out.getvalue()) == {
        "time": 0.0,
        "level": "warn",
        "logger": "engine.call",
        "message": "ended",
        "call_id": "abc",
    }


def test_the_level_changes_while_it_runs() -> None:
    """Each event is judged by the level of its moment."""
    out = io.StringIO()
    logging = Logging(LogSection(level="info"))
    observer = logging.observer(out)
    for level in ("info", "error", "debug"):
        logging.set_level(level)
        for said in (LogLevel.debug, LogLevel.warn):
            observer(event(f"while={level}", log_level=said, log_namespace="engine.call"))
    written = [line.split()[1:] for line in out.getvalue().splitlines()]
    assert written == [["warn", "while=info"], ["debug", "while=debug"], ["warn", "while=debug"]]
