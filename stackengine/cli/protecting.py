"""What ``protect`` and ``unprotect`` do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from stackengine.cli.exit_codes import OK
from stackengine.service import guard, prepare

if TYPE_CHECKING:
    from stackengine.cli.terminal import Terminal
    from stackengine.service import Session


def change(session: Session, stack: str, paths: Sequence[str], terminal: Terminal, *, on: bool) -> int:
    """Record it and tell."""
    changed = guard.protect(session, prepare.find_stack(session, stack), paths, on=on)
    if terminal.json:
        terminal.document("protection", {"stack": stack, "paths": list(paths), "protected": on, "changed": changed})
    else:
        which, plural = (", ".join(paths), len(paths) > 1) if paths else (f"the stack {stack}", False)
        terminal.say(f"{which} {'are' if plural else 'is'} {'protected' if on else 'no longer protected'}" + ("" if changed else " (as before)"))
    return OK
