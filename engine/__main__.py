"""``python -m engine``: the ``polyphony`` command by the interpreter's own path."""

from __future__ import annotations

from engine.cli.main import main

main()
