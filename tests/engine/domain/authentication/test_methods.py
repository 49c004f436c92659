"""Which methods count for a user, and what comes of them."""

from __future__ import annotations

from engine.domain.authentication.forwarding import Forwarding, ForwardingSettings
from engine.domain.authentication.methods import (
    Ldap,
    Local,
    Nothing,
    methods_of,
)

ONE, TWO = Ldap(host="one", pattern="?"), Ldap(host="two", pattern="?")


def test_the_nearest_list_counts() -> None:
    """Hers before her groups', theirs before the domain's; a list is taken whole."""
    assert methods_of([ONE], [[TWO]], [Local()]) == [ONE]
    assert methods_of([], [[], [TWO, Local()], [ONE]], [Local()]) == [TWO, Local()]
    assert methods_of([], [[]], [ONE, TWO]) == [ONE, TWO]
    assert methods_of([], [], []) == (Local(),)


def test_nothing_is_a_method_like_others() -> None:
    assert methods_of([Nothing()], [], [ONE]) == [Nothing()]


class TestForwarding:
    """What a directory is asked, so that nobody is locked out of it from here."""

    SETTINGS = ForwardingSettings(failures=3, window=100.0, trust=1000.0)

    def test_strangers_together_have_few_tries(self) -> None:
        """From however many addresses; then the directory is not asked about that login for a while."""
        guard = Forwarding(self.SETTINGS)
        for index in range(3):
            assert guard.allows("jane", f"192.0.2.{index}", 10.0 * index)
            guard.failed("JANE", f"192.0.2.{index}", 10.0 * index)
        assert not guard.allows("jane", "192.0.2.99", 30.0)
        assert guard.allows("john", "192.0.2.99", 30.0)
        assert guard.allows("jane", "192.0.2.99", 100.0)

    def test_the_owner_where_she_was_before(self) -> None:
        """Is not concerned; her own mistakes count there, and are forgotten once she is right."""
        guard = Forwarding(self.SETTINGS)
        guard.succeeded("jane", "home", 0.0)
        for _ in range(3):
            guard.failed("jane", "stranger", 1.0)
        assert guard.allows("jane", "home", 2.0)
        for _ in range(3):
            guard.failed("jane", "home", 2.0)
        assert not guard.allows("jane", "home", 3.0)
        guard.succeeded("jane", "home", 103.0)
        assert guard.allows("jane", "home", 104.0)
        assert not guard.allows("jane", "elsewhere", 50.0)

    def test_trust_ends(self) -> None:
        guard = Forwarding(self.SETTINGS)
        guard.succeeded("jane", "home", 0.0)
        for _ in range(3):
            guard.failed("jane", "stranger", 1000.0)
        assert not guard.allows("jane", "home", 1000.0)
