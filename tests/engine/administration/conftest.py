"""Fixtures: what was noted of the nouns' changes."""

from __future__ import annotations

import pytest

from tests.engine.administration.notebook import Notebook


@pytest.fixture
def notebook() -> Notebook:
    """What was noted."""
    return Notebook()
