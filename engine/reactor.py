"""The one place that chooses the reactor: asyncio's, so that aiortc can live in the same process.

Twisted installs its default reactor at the first ``from twisted.internet import reactor``; call
:func:`install` before anything can do that. The rest of the code gets the reactor as an argument.
"""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from twisted.internet.asyncioreactor import AsyncioSelectorReactor


def install() -> AsyncioSelectorReactor:
    """Install the asyncio reactor (once) and return it.

    Raises:
        RuntimeError: another kind of reactor is installed already.
    """
    from twisted.internet.asyncioreactor import AsyncioSelectorReactor
    from twisted.internet.asyncioreactor import install as install_asyncio

    if "twisted.internet.reactor" not in sys.modules:
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        install_asyncio(loop)
    reactor = sys.modules["twisted.internet.reactor"]
    if not isinstance(reactor, AsyncioSelectorReactor):
        raise RuntimeError(f"the asyncio reactor is needed, {type(reactor).__name__} is installed")
    return cast("AsyncioSelectorReactor", reactor)
