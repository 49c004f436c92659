"""The softphone as a process of its own: ``python -m engine.softphone.agent``, JSON lines in and out.

The lines are those of ``agent_messages``; the first command is ``start`` with the fields of
``PhoneSettings``, then the methods of ``Softphone``. The end of the input ends the phone: no agent survives
the program that started it.
"""

from __future__ import annotations

import os
import select
import signal
import sys
from typing import TYPE_CHECKING

import msgspec

from engine.softphone.agent_messages import Command, Notice, Reply
from engine.softphone.phone import Softphone
from engine.softphone.settings import PhoneEvent, PhoneSettings, SoftphoneError, WaitedTooLong

if TYPE_CHECKING:
    from types import FrameType

COMMANDS = frozenset(
    {
        *("register", "unregister", "call", "answer", "hangup", "hold", "resume", "reoffer", "request"),
        *("wait_for", "wait_for_media", "wait_for_incoming", "rest", "status"),
        *("send_dtmf", "digits", "transfer", "attended_transfer"),
        *("play", "stop_playing", "record", "stop_recording", "loop_back"),
    }
)
LARGEST_LINE = 65536


class Agent:
    """Reads commands and runs them one by one; between them it keeps the phone alive and tells its events."""

    def __init__(self, commands: int, answers: int) -> None:
        self._commands, self._answers = commands, answers
        self._pending = b""
        self._phone: Softphone | None = None
        self.ended = False

    def run(self) -> None:
        """Serve until the input ends."""
        while not self.ended:
            waiting, _, _ = select.select([self._commands], [], [], 0 if self._phone else None)
            if waiting:
                self._read()
            elif self._phone is not None:
                self._phone.step()
            self._tell_events()
        if self._phone is not None:
            self._phone.close()

    def _read(self) -> None:
        data = os.read(self._commands, LARGEST_LINE)
        if not data:
            self.ended = True
        self._pending += data
        while b"\n" in self._pending:
            line, _, self._pending = self._pending.partition(b"\n")
            reply = self._obey(line)
            self._tell_events()
            self._write(reply)

    def _obey(self, line: bytes) -> Reply:
        try:
            command = msgspec.json.decode(line, type=Command)
        except msgspec.DecodeError as error:
            return Reply(0, False, error=str(error))
        try:
            return Reply(command.id, True, self._result(command))
        except WaitedTooLong as error:
            return Reply(command.id, False, error=str(error), late=True)
        except SoftphoneError as error:
            return Reply(command.id, False, error=str(error), status=error.status)
        except (TypeError, msgspec.ValidationError) as error:  # an argument that is unknown or missing
            return Reply(command.id, False, error=f"{command.do}: {error}")

    def _result(self, command: Command) -> object:
        if command.do == "start" and self._phone is None:
            phone = Softphone(msgspec.convert(command.arguments, PhoneSettings))
            phone.start()
            self._phone = phone
            return phone.address
        if self._phone is None or command.do not in COMMANDS:
            raise SoftphoneError(f"{command.do}: not a command here and now")
        return getattr(self._phone, command.do)(**command.arguments)

    def _tell_events(self) -> None:
        for event in self._phone.take_events() if self._phone is not None else ():
            self._write(_notice(event))

    def _write(self, message: Reply | Notice) -> None:
        line = msgspec.json.encode(message) + b"\n"
        while line:
            line = line[os.write(self._answers, line) :]


def _notice(event: PhoneEvent) -> Notice:
    return Notice(event.kind, event.call, event.text, event.code, event.extra)


def main() -> None:
    """Run on standard input and output; what the library itself prints goes to standard error."""
    answers = os.dup(1)
    os.dup2(2, 1)
    agent = Agent(0, answers)

    def end(_signal: int, _frame: FrameType | None) -> None:
        agent.ended = True

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal's ^C is for the program that started us
    agent.run()
    sys.stderr.flush()
    os._exit(0)  # pjsua2's own clean-up at interpreter exit may crash after everything is done


if __name__ == "__main__":
    main()
