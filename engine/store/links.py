"""SIP links to PBXs, in the store."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.store.collection import OwnedCollection
from engine.store.errors import InUse, Taken
from engine.store.records import Link
from engine.store.rules import check_link
from engine.store.tables import AutomateRangeRow, LinkRow


class Links(OwnedCollection[LinkRow, Link]):
    """Links, by name."""

    row_type = LinkRow
    record_type = Link
    key = "name"
    what = "link"

    def check(self, session: Session, record: Link) -> None:
        """Refuse bad fields, a name in use, and a dialled prefix that leads to another link already."""
        check_link(record)
        self._refuse_taken(session, record)
        others = (LinkRow.id != record.id, LinkRow.company_id == record.company_id)
        for other in session.scalars(select(LinkRow).where(*others)):
            for prefix in sorted(set(record.prefixes) & set(other.dialled_prefixes.split())):
                raise Taken("prefix", prefix, f"link {other.name}")

    def _check_unused(self, session: Session, row: LinkRow) -> None:
        used = session.scalars(
            select(AutomateRangeRow).where(AutomateRangeRow.link_id == row.id).order_by(AutomateRangeRow.id)
        ).first()
        if used is not None:
            raise InUse("link", row.name, f"automate range {used.first_number}")
