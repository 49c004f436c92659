"""The few named timers of one session."""

from __future__ import annotations

from collections.abc import Callable, Hashable

Action = Callable[[float], None]


class Timers:
    """At most a handful are set at a time, so a dict is all it takes."""

    __slots__ = ("_set",)

    def __init__(self) -> None:
        self._set: dict[Hashable, tuple[float, Action]] = {}

    def set(self, name: Hashable, at: float, action: Action) -> None:
        """Call ``action(now)`` at ``at``; replaces a timer of that name."""
        self._set[name] = (at, action)

    def cancel(self, name: Hashable) -> None:
        """Forget a timer; none of that name is no error."""
        self._set.pop(name, None)

    def keep_only(self, *names: Hashable) -> None:
        """Forget all others."""
        self._set = {name: self._set[name] for name in names if name in self._set}

    def at(self, name: Hashable) -> float | None:
        """When a timer is due, None when it is not set."""
        held = self._set.get(name)
        return None if held is None else held[0]

    def __contains__(self, name: object) -> bool:
        return name in self._set

    @property
    def deadline(self) -> float | None:
        """When the next one is due."""
        if not self._set:
            return None
        return min([at for at, _ in self._set.values()])

    def run(self, now: float) -> None:
        """Run what is due, in the order of time; each once, even when it sets itself anew in the past."""
        due = sorted(
            [(at, index, name) for index, (name, (at, _)) in enumerate(self._set.items()) if at <= now]
        )
        for at, _, name in due:
            held = self._set.get(name)
            if held is not None and held[0] == at:
                del self._set[name]
                held[1](now)
