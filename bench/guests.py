"""(b) Real guests, defined, started and removed, beside libvirt-python used directly with the same XML."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bench import floor_guests
from bench.private import bench_host
from bench.table import Row, Section
from stackengine.service import stacks
from stackengine.service.session import Session
from stackengine.service.types import OperationResult, Preview, Request

PARTS = ("up", "down")


def template(count: int) -> str:
    """``count`` guests on one network. They are cut off at the end, as the floor does it, and not asked to shut down first."""
    lines = ["heat_template_version: 2018-08-31", "resources:", "  net: {type: SE::Network, properties: {mode: nat, cidr: auto}}"]
    for n in range(count):
        properties = "{image: tiny, memory: 128, vcpus: 1, shutdown_timeout: 0, networks: [{network: {get_resource: net}}]}"
        lines.append(f"  guest{n}: {{type: SE::Server, properties: {properties}}}")
    return "\n".join(lines) + "\n"


@dataclass
class Turns:
    """Seconds of every turn."""

    engine: dict[str, list[float]] = field(default_factory=lambda: {p: [] for p in PARTS})
    floor: dict[str, list[float]] = field(default_factory=lambda: {p: [] for p in PARTS})
    cpu: dict[str, list[float]] = field(default_factory=lambda: {p: [] for p in PARTS})

    def ratios(self, part: str) -> list[float]:
        """Engine over floor, turn by turn."""
        return [a / b for a, b in zip(self.engine[part], self.floor[part], strict=True)]


def _timed(turns: Turns, part: str, work: Callable[[], OperationResult]) -> None:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    turns.engine[part].append(time.perf_counter() - wall)
    turns.cpu[part].append(time.process_time() - cpu)


def measure_count(session: Session, uri: str, folder: Path, count: int, runs: int) -> Turns:
    """``runs`` turns of engine and floor, in alternating order."""
    file = folder / f"guests{count}.yaml"
    file.write_text(template(count), "utf-8")
    request = Request(f"g{count}", file)

    def carry_out(make: Callable[[], Preview]) -> OperationResult:
        result = stacks.carry_out(session, make())
        assert result.status == "complete", result
        return result

    def engine(turns: Turns) -> None:
        _timed(turns, "up", lambda: carry_out(lambda: stacks.preview(session, request)))
        _timed(turns, "down", lambda: carry_out(lambda: stacks.preview_down(session, request.name)))

    carry_out(lambda: stacks.preview(session, request))  # the image comes, imports are made, and the floor learns what to do
    captured = floor_guests.capture(uri)
    carry_out(lambda: stacks.preview_down(session, request.name))

    def floor(turns: Turns) -> None:
        turns.floor["up"].append(floor_guests.up(uri, captured))
        turns.floor["down"].append(floor_guests.down(uri, captured))

    found = Turns()
    for turn in range(runs):
        for side in (engine, floor) if turn % 2 else (floor, engine):
            side(found)
    return found


def measure(quick: bool) -> Section:
    """All lines of this part."""
    rows: list[Row] = []
    with bench_host() as (session, host, folder):
        for count in (1, 3):
            turns = measure_count(session, host.libvirt_uri, folder, count, 3 if quick else 5)
            guests = f"{count} guest{'s' if count > 1 else ''}"
            for part, limit in (("up", 1.3), ("down", 1.2)):
                rows.append(Row(f"{guests} {part}: wall over floor", turns.ratios(part), limit if count == 3 else None))
            for part in PARTS:
                rows.append(Row(f"{guests} {part}: engine", turns.engine[part], None, "s"))
                rows.append(Row(f"{guests} {part}: floor", turns.floor[part], None, "s"))
            both = [a + b for a, b in zip(turns.cpu["up"], turns.cpu["down"], strict=True)]
            rows.append(Row(f"{guests} up: our own CPU beyond imports", turns.cpu["up"], 0.4 if count == 3 else None, "s"))
            rows.append(Row(f"{guests} up and down: our own CPU beyond imports", both, 0.4 if count == 3 else None, "s"))
    text = (
        "Guests of the tiny image (128 MiB, TCG or KVM as the machine has it) on a private host. *up*: plan, define, start; *down*: plan, cut off, undefine, "
        "delete seeds and network. The floor does the same with libvirt-python, four threads and four connections, from the XML that the engine's guests had."
    )
    return Section("(b) Real guests", text, rows)
