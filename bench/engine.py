"""(a) The engine's overhead: no-op resources on the simulated host, beside the bare floor and the critical path."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import cold
from bench.graphs import SHAPES, critical_path, hot
from bench.table import Row, Section

HOST = "memory://bench"
LIVES = {100: 3, 500: 5, 1_000: 3, 10_000: 1}
"""Resources -> lives of a full run."""
LONGEST = 2_000_000
"""Resources times the longest path: a chain of 10,000 is 20,000 commits, and says nothing that one of 1,000 does not."""


@dataclass(frozen=True, slots=True)
class Life:
    """What one life of a stack cost, by step, as (wall, CPU) seconds."""

    steps: dict[str, list[float]]
    commits: int
    commit: float
    """Seconds of one commit of one small row."""

    def wall(self, step: str) -> float:
        """Wall seconds."""
        return self.steps[step][0]

    def cpu(self, step: str) -> float:
        """CPU seconds."""
        return self.steps[step][1]


def in_folder(work: Callable[[Path], Any]) -> Any:
    """Run ``work`` in a folder of its own."""
    folder = Path(tempfile.mkdtemp(prefix="se-bench-"))
    try:
        return work(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def life(shape: str, count: int, turn: int) -> Life:
    """One life in a process of its own; the floor goes first every other time."""

    def work(folder: Path) -> Life:
        found = json.loads(cold.run([sys.executable, "-m", "bench.life", shape, str(count), str(turn % 2), str(folder)]).out)
        return Life(found["steps"], found["commits"], found["commit"])

    found: Life = in_folder(work)
    return found


def commands(shape: str, count: int) -> dict[str, cold.Cost]:
    """Whole commands on ``count`` resources, as cold processes."""

    def work(folder: Path) -> dict[str, cold.Cost]:
        template = folder / "stack.yaml"
        template.write_text(hot(shape, count), "utf-8")
        arguments = (str(template), "--name", "s", "--host", HOST)
        return {
            "create": cold.stack_run("up", *arguments, "--yes", state=folder),
            "plan": cold.stack_run("plan", *arguments, state=folder),
            "update": cold.stack_run("up", *arguments, "--yes", state=folder),
            "delete": cold.stack_run("down", "s", "--yes", state=folder),
        }

    found: dict[str, cold.Cost] = in_folder(work)
    return found


def beyond_start_up(runs: int) -> list[float]:
    """CPU seconds of an update of 500 without changes over those of one of 1, turn by turn: of two so near to each other, only neighbours compare."""

    def work(folder: Path) -> list[float]:
        updates: dict[int, tuple[str, ...]] = {}
        for count in (1, 500):
            template = folder / f"{count}.yaml"
            template.write_text(hot("layers", count), "utf-8")
            updates[count] = ("up", str(template), "--name", f"s{count}", "--host", HOST, "--yes")
            cold.stack_run(*updates[count], state=folder)
        found = []
        for turn in range(runs):
            cost = {n: cold.stack_run(*updates[n], state=folder).cpu for n in ((1, 500) if turn % 2 else (500, 1))}
            found.append(cost[500] - cost[1])
        return found

    found: list[float] = in_folder(work)
    return found


def measure(quick: bool) -> Section:
    """All lines of this part."""
    wanted = {100: 1, 500: 3} if quick else LIVES
    lives: dict[tuple[str, int], list[Life]] = {}
    for turn in range(max(wanted.values())):
        for shape in SHAPES:
            for count, runs in wanted.items():
                if turn < runs and count * critical_path(shape, count) <= LONGEST:
                    lives.setdefault((shape, count), []).append(life(shape, count, turn))
    small = beyond_start_up(5 if quick else 25)
    large = [] if quick else [{n: commands("layers", n) for n in (1_000, 10_000)} for _ in range(2)]
    rows = [*_against_floor(lives), *_commands(small, large), *_growth(lives), *_all_sizes(lives)]
    text = (
        "`SE::None` on `memory://`, journaled with `synchronous=FULL`. The floor does the same walk and the same commits (rows of events, instances, "
        "generations and pieces, as the engine writes them) and has no model. "
        "*create* and *delete* are operations in a process that has its imports behind it; *whole command* is a cold process. "
        "*critical path*: wall time over that of as many commits of one small row as the longest path needs."
    )
    return Section("(a) Engine overhead", text, rows)


def _against_floor(lives: dict[tuple[str, int], list[Life]]) -> list[Row]:
    rows = []
    for shape in SHAPES:
        found = lives[shape, 500]
        rows.append(Row(f"create 500, {shape}: wall over floor", [f.wall("create") / f.wall("floor") for f in found], 2))
        rows.append(Row(f"create 500, {shape}: CPU over floor", [f.cpu("create") / f.cpu("floor") for f in found], 2))
    return rows


def _commands(small: list[float], large: list[dict[int, dict[str, cold.Cost]]]) -> list[Row]:
    rows = [Row("update of 500 without changes, beyond start-up: CPU", small, 0.1, "s", "whole command, less the same for 1 resource, in turn")]
    if large:
        for command, limit in (("create", 1.0), ("plan", None), ("update", None), ("delete", None)):
            each = [1e3 * (w[10_000][command].cpu - w[1_000][command].cpu) / 9_000 for w in large]
            rows.append(Row(f"{command}: CPU for each more, from 1,000 to 10,000, whole command", each, limit, "ms"))
        plans = [w[10_000]["plan"] for w in large]
        rows.append(Row("plan of 10,000 without changes, whole command: CPU", [p.cpu for p in plans], 4, "s"))
        rows.append(Row("plan of 10,000 without changes, whole command: memory", [p.memory for p in plans], 250, "MB"))
        rows.append(Row("create 10,000, whole command: memory", [w[10_000]["create"].memory for w in large], None, "MB"))
    return rows


def _growth(lives: dict[tuple[str, int], list[Life]]) -> list[Row]:
    rows = []
    if ("chain", 1_000) in lives:
        twice = zip(lives["chain", 1_000], lives["chain", 500], strict=False)
        rows.append(Row("create a chain of 1,000: CPU over that of 500", [a.cpu("create") / b.cpu("create") for a, b in twice], 2.2, "×", "2 is linear"))
    for shape in SHAPES:
        if (shape, 10_000) in lives:
            found = [f.cpu("plan from evaluated") for f in lives[shape, 10_000]]
            rows.append(Row(f"plan of 10,000 ({shape}) without changes, from the evaluated template: CPU", found, 1, "s"))
    return rows


def _all_sizes(lives: dict[tuple[str, int], list[Life]]) -> list[Row]:
    rows = []
    for (shape, count), found in lives.items():
        path = critical_path(shape, count) + 1
        bound = [f.wall("create") / (path * f.commit) for f in found]
        rows.append(Row(f"{shape} {count:,}: create, wall over critical path", bound, None, "×", f"{path} commits on it; {found[0].commits} in this life"))
        steps = ("create", "plan again", "update", "delete")
        rows += [Row(f"{shape} {count:,}: {step}, CPU each", [1e3 * f.cpu(step) / count for f in found], None, "ms") for step in steps]
    return rows
