"""(c) What commands cost before they do anything: CPU of cold processes beyond that of bare Python."""

from __future__ import annotations

import tempfile
from pathlib import Path

from bench import cold
from bench.table import Row, Section

HELLO = cold.ROOT / "templates" / "hello" / "hot" / "stack.yaml"
COMMANDS: dict[str, tuple[tuple[str, ...], float | None]] = {
    "stack-run --help": (("--help",), 0.08),
    "stack-run up --help": (("up", "--help"), None),
    "stack-run --version": (("--version",), None),
    "stack-run ls": (("ls",), None),
    "stack-run validate (hello)": (("validate", str(HELLO)), None),
    "stack-run plan (hello, memory://)": (("plan", str(HELLO), "--host", "memory://"), None),
}


def measure(quick: bool) -> Section:
    """All lines of this part; commands and bare Python in turn."""
    beyond: dict[str, list[float]] = {name: [] for name in COMMANDS}
    with tempfile.TemporaryDirectory(prefix="se-bench-") as state:
        for arguments, _ in COMMANDS.values():  # once for the file cache and the byte code
            cold.stack_run(*arguments, state=Path(state))
        for _ in range(3 if quick else 9):
            for name, (arguments, _) in COMMANDS.items():
                bare = cold.bare().cpu
                beyond[name].append(cold.stack_run(*arguments, state=Path(state)).cpu - bare)
    rows = [Row(f"{name}: CPU over bare Python", beyond[name], limit, "s") for name, (_, limit) in COMMANDS.items()]
    return Section("(c) Start-up of commands", "Cold processes, each less a `python -c pass` that was run just before.", rows)
