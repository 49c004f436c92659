"""The process of one run: ``python -m engine.imports.child RUN``, the store's URL on its standard input.

A process of its own, for a directory takes seconds of the processor to read, and calls must not wait for that. Killed
at any moment it leaves nothing behind: what it wrote was one transaction.
"""

from __future__ import annotations

import sys

from engine.imports.run import runner
from engine.store.database import Database


def main() -> None:
    """Carry out the run."""
    database = Database(sys.stdin.read().strip())
    try:
        runner(database).run(int(sys.argv[1]))
    finally:
        database.close()


if __name__ == "__main__":
    main()
