"""What things cost, counted: imports, commits, SQL statements, host calls. Never times: those are for bench/."""

from __future__ import annotations

import cProfile
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pytest
import sqlalchemy as sa

from bench.graphs import hot
from stackengine import service
from stackengine.cli.commands import COMMANDS
from stackengine.service import stacks
from stackengine.service.session import Session
from stackengine.service.types import Request, Settings
from stackengine.store.log import OperationJournal

pytestmark = pytest.mark.thorough

HEAVY = (
    "networkx", "sqlalchemy", "jsonschema", "libvirt", "yaml", "jinja2", "cryptography", "alembic", "rich", "asyncio", "http.server",
    "sqlalchemy.dialects.mysql", "stackengine.cli.remoting",
)  # fmt: skip
HOST = "memory://costs"
CHAIN = 12
T = TypeVar("T")


def imported_by(*lines: list[str]) -> list[list[str]]:
    """For each command line, run one after the other in one process, the heavy modules that are imported by then."""
    program = (
        "import io, json, sys\n"
        "from contextlib import redirect_stderr, redirect_stdout, suppress\n"
        "from stackengine.cli.main import main\n"
        "found = []\n"
        f"for line in {list(lines)!r}:\n"
        "    with suppress(SystemExit), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):\n"
        "        main(line)\n"
        f"    found.append([m for m in {HEAVY!r} if m in sys.modules])\n"
        "print(json.dumps(found))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    found: list[list[str]] = json.loads(done.stdout)
    return found


def test_help_of_every_command_imports_nothing_heavy() -> None:
    lines = [["--help"], ["--version"], *([c, "--help"] for c in COMMANDS)]
    found = dict(zip((" ".join(line) for line in lines), imported_by(*lines), strict=True))
    assert {line: heavy for line, heavy in found.items() if heavy} == {}


def test_commands_import_what_they_need_only(tmp_path: Path) -> None:
    template = tmp_path / "stack.yaml"
    template.write_text(hot("chain", 2), "utf-8")
    state = ["--state", str(tmp_path)]
    checked, planned = imported_by(["validate", str(template), *state], ["plan", str(template), "--host", HOST, *state])
    assert {"sqlalchemy", "libvirt", "cryptography", "networkx", "rich", "jinja2"}.isdisjoint(checked)
    assert {"libvirt", "alembic", "networkx", "sqlalchemy.dialects.mysql", "stackengine.cli.remoting"}.isdisjoint(planned)


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with service.open(Settings(str(tmp_path / "state"), HOST)) as opened:
        yield opened


@contextmanager
def statements(session: Session) -> Iterator[list[str]]:
    """The SQL statements sent meanwhile (one for many rows counts once)."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        sent.append(statement)

    sa.event.listen(session.store.database.engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        sa.event.remove(session.store.database.engine, "before_cursor_execute", note)


@pytest.fixture
def commits(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One entry per commit of a journal: how many events it had."""
    made: list[int] = []
    commit = OperationJournal.commit

    def counting(self: OperationJournal, events: Any, *rest: Any) -> Any:
        made.append(len(events))
        return commit(self, events, *rest)

    monkeypatch.setattr(OperationJournal, "commit", counting)
    return made


def request(tmp_path: Path, shape: str, count: int) -> Request:
    file = tmp_path / f"{shape}{count}.yaml"
    file.write_text(hot(shape, count), "utf-8")
    return Request(f"{shape}{count}", file)


def test_commits_are_as_many_as_the_longest_path_needs(session: Session, tmp_path: Path, commits: list[int]) -> None:
    stacks.carry_out(session, stacks.preview(session, request(tmp_path, "wide", 40)))
    assert commits == [40, 40, 1], "all begin, all are ready, the operation is finished"
    commits.clear()
    stacks.carry_out(session, stacks.preview(session, request(tmp_path, "chain", CHAIN)))
    assert commits == [1, *[2] * (CHAIN - 1), 1, 1], "the end of one and the beginning of the next share a commit"


def test_statements_do_not_grow_with_the_width_of_a_stack(session: Session, tmp_path: Path) -> None:
    counts: dict[str, list[int]] = {"plan": [], "create": [], "again": [], "delete": []}
    stacks.carry_out(session, stacks.preview(session, request(tmp_path, "wide", 2)))  # the tables are there
    for count in (3, 60):
        asked = request(tmp_path, "wide", count)
        with statements(session) as sent:
            preview = stacks.preview(session, asked)
            counts["plan"].append(len(sent))
            stacks.carry_out(session, preview)
            counts["create"].append(len(sent) - counts["plan"][-1])
        with statements(session) as sent:
            stacks.carry_out(session, stacks.preview(session, asked))
        counts["again"].append(len(sent))
        with statements(session) as sent:
            stacks.carry_out(session, stacks.preview_down(session, asked.name))
        counts["delete"].append(len(sent))
    assert all(few == many for few, many in counts.values()), counts


def calls_of(work: Callable[[], T]) -> tuple[T, int]:
    """What ``work`` returns, and how many calls of functions and steps of generators this thread made for it."""
    profile = cProfile.Profile()
    result = profile.runcall(work)
    return result, sum(entry.callcount for entry in profile.getstats())


def go_down(session: Session, name: str) -> None:
    stacks.carry_out(session, stacks.preview_down(session, name))


def test_work_grows_with_the_number_of_resources_and_no_faster(session: Session, tmp_path: Path) -> None:
    calls: dict[str, list[int]] = {"plan": [], "create": [], "again": [], "replace": [], "delete": []}
    stacks.carry_out(session, stacks.preview(session, request(tmp_path, "layers", 20)))
    stacks.carry_out(session, stacks.preview_down(session, "layers20"))  # imports, caches and tables are there
    for count in (60, 120, 240):
        asked = request(tmp_path, "layers", count)
        preview, calls_for_plan = calls_of(partial(stacks.preview, session, asked))
        calls["plan"].append(calls_for_plan)
        calls["create"].append(calls_of(partial(stacks.carry_out, session, preview))[1])
        again, calls_for_again = calls_of(partial(stacks.preview, session, asked))
        assert again.plan.empty
        calls["again"].append(calls_for_again)
        every = replace(asked, replace=tuple(preview.desired.resources))
        calls["replace"].append(calls_of(partial(stacks.preview, session, every))[1])
        calls["delete"].append(calls_of(partial(go_down, session, asked.name))[1])
    growth = {step: (large - middle) / (middle - small) for step, (small, middle, large) in calls.items()}
    assert all(ratio < 2.1 for ratio in growth.values()), f"2 is linear, 4 is quadratic: {growth}, {calls}"


def test_statements_per_step_of_a_chain(session: Session, tmp_path: Path) -> None:
    stacks.carry_out(session, stacks.preview(session, request(tmp_path, "chain", 2)))
    sent_for = []
    for count in (10, 20):
        preview = stacks.preview(session, request(tmp_path, "chain", count))
        with statements(session) as sent:
            stacks.carry_out(session, preview)
        sent_for.append(len(sent))
    each = (sent_for[1] - sent_for[0]) / 10
    assert each <= 9, f"begin, fence, number, events, instances, generations, pieces, commit, and a look at whether to cancel; here {each}"


def test_a_plan_without_changes_reads_each_table_once(session: Session, tmp_path: Path) -> None:
    asked = request(tmp_path, "layers", 120)
    stacks.carry_out(session, stacks.preview(session, asked))
    with statements(session) as sent:
        assert stacks.preview(session, asked).plan.empty
    read = Counter(s.split("FROM ")[1].split()[0] for s in sent if "FROM " in s)
    assert max(v for t, v in read.items() if t not in ("stack", "revision")) == 1, read


class CountingHost:
    """A host behind a counter of its calls."""

    def __init__(self, host: Any) -> None:
        self._host, self.calls = host, list[str]()

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._host, name)
        if not callable(found) or name.startswith("simulated"):
            return found

        def call(*arguments: Any, **named: Any) -> Any:
            self.calls.append(name)
            return found(*arguments, **named)

        return call


def guests(tmp_path: Path, count: int) -> Request:
    lines = ["heat_template_version: 2018-08-31", "resources:", "  net: {type: SE::Network, properties: {mode: nat, cidr: auto}}"]
    lines += [f"  g{n}: {{type: SE::Server, properties: {{image: tiny, networks: [{{network: {{get_resource: net}}}}]}}}}" for n in range(count)]
    file = tmp_path / f"guests{count}.yaml"
    file.write_text("\n".join(lines) + "\n", "utf-8")
    return Request(f"guests{count}", file)


def test_host_calls_of_a_guest(session: Session, tmp_path: Path) -> None:
    counting = CountingHost(session.host(HOST))
    session._hosts[HOST] = counting
    made, gone, nothing = list[Counter[str]](), list[Counter[str]](), list[Counter[str]]()
    for count in (1, 4):
        asked = guests(tmp_path, count)
        plan, down = partial(stacks.preview, session, asked), partial(stacks.preview_down, session, asked.name)
        for into, make in ((made, plan), (nothing, plan), (gone, down)):
            counting.calls.clear()
            result = stacks.carry_out(session, make())
            assert result.status == "complete", result
            into.append(Counter(counting.calls))
    more = {name: (made[1] - made[0]).total() / 3 for name in ("create",)} | {"delete": (gone[1] - gone[0]).total() / 3}
    assert more["create"] <= 10, made[1] - made[0]
    assert more["delete"] <= 8, gone[1] - gone[0]
    assert nothing[0] == nothing[1], "a plan asks the host the same whatever is in the stack"
    assert "volume_list" not in made[1] + gone[1], "listing volumes with their details costs three calls for each volume of the pool"
