"""The conversations that are up, for counting, for listing and for an orderly stop."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Protocol

from twisted.internet.defer import Deferred

from engine.domain.quotas import Channels, Share
from engine.domain.scope import scoped

if TYPE_CHECKING:
    from engine.call.party import Party
    from sip.call import Call


class Conversation(Protocol):
    """What the register knows of a conversation: what was called, in which company; whose channel it takes."""

    number: str
    company: int
    application: str

    @property
    def parties(self) -> Iterable[Party]:
        """Everybody in it, those who are still called included."""

    def other(self, party: Party) -> Party | None:
        """Who ``party`` talks to; None when that is an automate, or nobody yet."""

    def stop(self) -> None:
        """End it: BYE to everyone, recordings closed."""


class CallRegister:
    """Every conversation from its INVITE to its end."""

    def __init__(self) -> None:
        self._conversations: set[Conversation] = set()
        self._empty: list[Deferred[None]] = []
        self.on_removed: Callable[[Conversation], None] = _ignore
        self.on_over: Callable[[Conversation], None] = _ignore
        """As ``on_removed``, for the call journal."""
        self.by_number: Counter[str] = Counter()
        """Conversations by scoped number."""
        self.channels = Channels()
        self.total = 0

    def __len__(self) -> int:
        return len(self._conversations)

    def __iter__(self) -> Iterator[Conversation]:
        return iter(tuple(self._conversations))

    def add(self, conversation: Conversation) -> None:
        """Count ``conversation`` until :meth:`remove`."""
        self._conversations.add(conversation)
        self.channels.take(Share(conversation.company, conversation.application))
        self.by_number[scoped(conversation.number, conversation.company)] += 1
        self.total += 1

    def remove(self, conversation: Conversation) -> None:
        """Forget ``conversation``; removing it twice does nothing."""
        if conversation not in self._conversations:
            return
        self._conversations.remove(conversation)
        self.on_removed(conversation)
        self.on_over(conversation)
        self.channels.give_back(Share(conversation.company, conversation.application))
        number = scoped(conversation.number, conversation.company)
        self.by_number[number] -= 1
        if not self.by_number[number]:
            del self.by_number[number]
        if not self._conversations:
            waiting, self._empty = self._empty, []
            for each in waiting:
                if not each.called:  # else whoever waited has given up
                    each.callback(None)

    def remove_party(self, party: Party) -> None:
        """Forget the conversation whose only party goes on in another."""
        for conversation in tuple(self._conversations):
            if any(each is party for each in conversation.parties):
                self.remove(conversation)

    def find(self, call: Call) -> tuple[Conversation, Party] | None:
        """Whose call this is. Looks through all: asked for transfers only."""
        for conversation in self._conversations:
            for party in conversation.parties:
                if party.call is call:
                    return conversation, party
        return None

    def stop_all(self) -> Deferred[None]:
        """End every conversation; fires when the last is gone."""
        done: Deferred[None] = Deferred()
        if not self._conversations:
            done.callback(None)
            return done
        self._empty.append(done)
        for each in tuple(self._conversations):
            each.stop()
        return done


def _ignore(_conversation: Conversation) -> None:
    """What ends before anybody wants to know."""
