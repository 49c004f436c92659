"""How often what somebody may do has changed: whoever remembers an answer compares."""

from __future__ import annotations

from sqlalchemy import event
from sqlalchemy.orm import Session


class AccountChanges:
    """Counted when the transaction is committed, in whichever thread that is; read in any."""

    def __init__(self) -> None:
        self.count = 0

    def after(self, session: Session) -> None:
        """Count one when ``session`` is committed."""
        event.listen(session, "after_commit", self._committed, once=True)

    def _committed(self, session: Session) -> None:
        self.count += 1
