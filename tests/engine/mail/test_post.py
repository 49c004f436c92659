"""The queue of mail: kept over restarts, tried again ever less often, given up at last; on SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from twisted.internet.defer import Deferred, execute
from twisted.internet.task import Clock

from engine.mail import post as post_module
from engine.mail.delivery import MailServer, Outcome
from engine.mail.post import FIRST_WAIT, LEASE, LONGEST_WAIT, Post, next_attempt
from engine.store import NotFound, Store
from engine.store.mails import Mail, Mails, QueueFull

SERVER = MailServer("h", 25, "none", "a@b", 5)
DAY = 86_400.0


def a_mail(recipient: str = "bob@example.com", created_at: float = 0.0) -> Mail:
    return Mail(
        recipient=recipient, subject="Hé", content=b"\0\xff\r\n", created_at=created_at, due_at=created_at
    )


class Now:
    """A store thread that does not wait."""

    def call(self, function: Any, *arguments: Any) -> Deferred[Any]:
        return execute(function, *arguments)


class Office:
    """A post on a virtual clock; ``answers``: what the server says to each recipient, else it takes the message."""

    def __init__(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        self.clock, self.store = Clock(), store
        self.answers: dict[str, Outcome] = {}
        self.sent: list[str] = []
        self.server: MailServer | None = SERVER
        self.raises: Exception | None = None
        monkeypatch.setattr(post_module, "in_own_thread", lambda reactor, name, work: execute(work))
        self.post = self.another()

    def another(self) -> Post:
        """Of the next process."""
        return Post(
            self.clock,  # type: ignore[arg-type]  # its threads are not used here
            Now(),  # type: ignore[arg-type]
            self.store.mails,
            lambda: self.server,
            DAY,
            self.clock.seconds,
            self._send,
        )

    def _send(self, server: MailServer, mails: Sequence[Mail], stopping: Callable[[], bool]) -> list[Outcome]:
        if self.raises is not None:
            raise self.raises
        assert server is SERVER
        self.sent += [each.recipient for each in mails]
        return [replace(self.answers.get(each.recipient, Outcome(0)), mail=each.id) for each in mails]


@pytest.fixture
def office(store: Store, monkeypatch: pytest.MonkeyPatch) -> Office:
    return Office(store, monkeypatch)


def test_what_is_delivered_is_forgotten(office: Office) -> None:
    office.store.mails.put([a_mail(), a_mail("eve@example.com")])
    office.post.wake()
    assert office.sent == ["bob@example.com", "eve@example.com"]
    assert office.store.mails.all() == []
    assert office.post.counters == {"mail_sent": 2}
    assert office.clock.getDelayedCalls() == []


def test_what_fails_is_tried_ever_less_often(office: Office) -> None:
    """After a minute, two, four, ... an hour; given up after a day, and kept to be seen and sent again."""
    office.answers["bob@example.com"] = Outcome(0, "451 later")
    office.store.mails.put([a_mail()])
    office.post.wake()
    tried = []
    while office.clock.getDelayedCalls():
        (call,) = office.clock.getDelayedCalls()
        office.clock.advance(call.getTime() - office.clock.seconds())
        tried.append(office.clock.seconds())
    assert tried[:4] == [60.0, 180.0, 420.0, 900.0]
    assert max(later - earlier for earlier, later in pairwise(tried)) == LONGEST_WAIT
    assert DAY - LONGEST_WAIT <= tried[-1] <= DAY
    (dead,) = office.store.mails.all()
    assert (dead.due_at, dead.error, dead.attempts) == (None, "451 later", len(office.sent))
    assert office.post.given_up == 1
    assert office.post.counters["mail_given_up"] == 1
    office.answers.clear()
    office.store.mails.try_again(dead.id, office.clock.seconds())
    office.post.wake()
    assert office.store.mails.all() == []


def test_what_is_refused_for_good_is_given_up_at_once(office: Office) -> None:
    """One bad address does not hold up the others."""
    office.answers["bob@example.com"] = Outcome(0, "550 nobody", True)
    office.store.mails.put([a_mail(), a_mail("eve@example.com")])
    office.post.wake()
    (dead,) = office.store.mails.all()
    assert (dead.recipient, dead.due_at, dead.error) == ("bob@example.com", None, "550 nobody")
    assert office.clock.getDelayedCalls() == []


def test_the_next_process_goes_on(office: Office) -> None:
    """What a killed process was sending is sent after its lease; what waited, when it is due."""
    office.store.mails.put([a_mail()])
    assert len(office.store.mails.take(0.0, 10, LEASE)) == 1, "it was being sent, and the process died"
    after = office.another()
    after.wake()
    assert office.sent == []
    office.clock.advance(LEASE)
    assert office.sent == ["bob@example.com"]
    assert office.store.mails.all() == []


def test_no_server_no_attempt(office: Office) -> None:
    """Without a configured server messages wait."""
    office.server = None
    office.store.mails.put([a_mail()])
    office.post.wake()
    assert office.sent == []
    assert office.clock.getDelayedCalls() == []
    assert len(office.store.mails.all()) == 1


def test_a_fault_does_not_end_the_post(office: Office) -> None:
    """Whatever goes wrong, it looks again."""
    office.raises = RuntimeError("a fault of ours")
    office.store.mails.put([a_mail()])
    office.post.wake()
    office.raises = None
    office.clock.advance(FIRST_WAIT)
    assert office.sent == [], "the lease holds yet"
    office.clock.advance(LEASE)
    assert office.sent == ["bob@example.com"]


def test_stopping(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message on its way is waited for, and no other is begun; a wake meanwhile is heard afterwards, or never."""
    waits: Deferred[list[Outcome]] = Deferred()
    monkeypatch.setattr(post_module, "in_own_thread", lambda reactor, name, work: waits)
    office.store.mails.put([a_mail()])
    office.post.wake()
    office.post.wake()
    stopped = office.post.stop()
    assert not stopped.called
    waits.callback([Outcome(office.store.mails.all()[0].id)])
    assert stopped.called
    office.post.wake()
    assert office.clock.getDelayedCalls() == []
    assert office.store.mails.all() == []
    assert office.post.stop().called


def test_the_wait_between_attempts() -> None:
    """It does not overflow, however often a message was tried."""
    assert next_attempt(replace(a_mail(), attempts=10_000), 5.0, DAY) == 5.0 + LONGEST_WAIT


def test_the_queue(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the order they are due; counted; full at a limit, all or none; old ones that were given up are forgotten."""
    mails: Mails = store.mails
    mails.put([a_mail("late@b", 10.0), a_mail("soon@b", 5.0)])
    assert mails.next_due() == 5.0
    assert [each.recipient for each in mails.take(10.0, 1, LEASE)] == ["soon@b"]
    late = mails.take(10.0, 10, LEASE)[0]
    assert (late.content, late.subject) == (b"\0\xff\r\n", "Hé")
    assert mails.take(10.0, 10, LEASE) == []
    mails.failed(late.id, "550 no\r\nsuch", None)
    assert mails.counts() == (1, 1)
    assert next(each for each in mails.all() if each.id == late.id).error == "550 no  such"
    monkeypatch.setattr("engine.store.mails.MOST_WAITING", 2)
    with pytest.raises(QueueFull):
        mails.put([a_mail(), a_mail()])
    assert mails.counts() == (1, 1)
    mails.forget_given_up_before(11.0)
    assert mails.counts() == (1, 0)
    for verb in (mails.remove, lambda identity: mails.try_again(identity, 0.0)):
        with pytest.raises(NotFound):
            verb(late.id)
