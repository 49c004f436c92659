"""Fixtures: what was noted of the nouns' changes, and two companies."""

from __future__ import annotations

import pytest

from engine.store import Store
from tests.engine.administration.notebook import Notebook
from tests.engine.administration.town import Town


@pytest.fixture
def notebook() -> Notebook:
    """What was noted."""
    return Notebook()


@pytest.fixture
def store(common_store: Store) -> Store:
    """An opened store, on each database."""
    return common_store


@pytest.fixture
def town(store: Store) -> Town:
    """Two companies, on each database."""
    return Town(store)
