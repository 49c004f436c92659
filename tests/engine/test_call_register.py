"""The register of conversations."""

from __future__ import annotations

from engine.call.register import CallRegister


class Talk:
    """A conversation that remembers being stopped."""

    def __init__(self, number: str) -> None:
        self.number = number
        self.stopped = 0

    def stop(self) -> None:
        self.stopped += 1


def test_it_counts_by_number_and_forgets() -> None:
    """Added once, removed once; removing again changes nothing."""
    register = CallRegister()
    first, second = Talk("5000"), Talk("5000")
    register.add(first)
    register.add(second)
    assert (len(register), register.by_number["5000"], register.total) == (2, 2, 2)
    register.remove(first)
    register.remove(first)
    register.remove(second)
    assert (len(register), dict(register.by_number), register.total) == (0, {}, 2)


def test_stopping_waits_for_the_last() -> None:
    """Every conversation is asked to end; the answer comes when the last is gone."""
    register = CallRegister()
    talks = [Talk("1"), Talk("2")]
    for talk in talks:
        register.add(talk)
    done = register.stop_all()
    assert [talk.stopped for talk in talks] == [1, 1]
    register.remove(talks[0])
    assert not done.called
    register.remove(talks[1])
    assert done.called


def test_stopping_nothing_is_done_at_once() -> None:
    """No call, no wait."""
    assert CallRegister().stop_all().called
