"""A pytest plugin: a test that is marked with ``stack`` gets a stack of real machines, brought up once per session, module or test.

    @pytest.mark.stack("deploy/stack.yaml", parameters={"size": "small"}, scope="module")
    def test_page(stack):
        assert stack.server("web").get("/").text == "hello"

``scope``: ``session`` (default), ``module`` or ``function``. ``fork=True``: the template is brought up once, by whichever worker is first, and every
scope gets a fork of it with memory and disks. ``reset=True``: the test may call ``stack.reset()``, which brings all servers back to how they were right
after it came up. Workers of pytest-xdist have stacks of their own. What a killed run leaves is taken down by ``stack-run env reap``.

Nothing is imported and nothing happens unless a test asks for the fixture ``stack``.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from stackengine.testing.stacks import Stack

MARK = "stack(template, *, parameters={}, scope='session', fork=False, reset=False): the test gets a stack made of this template"
SCOPES = ("session", "module", "function")
_KEY = pytest.StashKey["dict[Any, Stack]"]()
_USED = pytest.StashKey["Stack"]()


def pytest_configure(config: pytest.Config) -> None:
    """Tell pytest of the marker."""
    config.addinivalue_line("markers", MARK)


@pytest.fixture
def stack(request: pytest.FixtureRequest) -> Stack:
    """The stack of the test's marker."""
    marker = request.node.get_closest_marker("stack")
    if marker is None or not marker.args:
        pytest.fail("say which template: @pytest.mark.stack('stack.yaml')", pytrace=False)
    found = _stack_of(request, marker)
    request.node.stash[_USED] = found
    return found


def _stack_of(request: pytest.FixtureRequest, marker: pytest.Mark) -> Stack:
    wish = {"parameters": {}, "scope": "session", "fork": False, "reset": False, **marker.kwargs}
    template = request.config.rootpath / marker.args[0]
    unknown = set(wish) - {"parameters", "scope", "fork", "reset"}
    if unknown or wish["scope"] not in SCOPES:
        pytest.fail(f"the marker stack knows no {', '.join(unknown) or wish['scope']}: {MARK}", pytrace=False)
    if not template.is_file():
        pytest.fail(f"{template}: no such file", pytrace=False)
    holder = {"session": request.session, "module": request.node.getparent(pytest.Module), "function": request.node}[wish["scope"]]
    key = (str(template), json.dumps(wish, sort_keys=True, default=str), holder.nodeid if wish["scope"] != "session" else "")
    known = request.session.stash.setdefault(_KEY, {})
    if key not in known:
        made = _make(request.config, template, wish, hashlib.sha256("/".join(key[1:]).encode()).hexdigest()[:8])
        known[key] = made

        def end() -> None:
            known.pop(key, None)
            made.close()

        holder.addfinalizer(end)
    return known[key]


def _worker(config: pytest.Config) -> str:
    """The name of this worker of pytest-xdist; empty: there is one process only."""
    return str(getattr(config, "workerinput", {}).get("workerid", ""))


def _run_id(config: pytest.Config) -> int:
    """This test run: the process that all its workers were started by."""
    return os.getppid() if _worker(config) else os.getpid()


def _notes(config: pytest.Config) -> Path:
    """Where the workers of a run note which stacks they share."""
    return Path(tempfile.gettempdir()) / f"stackengine-pytest-{os.getuid()}-{_run_id(config)}"


def _make(config: pytest.Config, template: Path, wish: dict[str, Any], which: str) -> Stack:
    from stackengine.testing import stacks

    branch, repository = f"{template.stem} {_run_id(config)} {_worker(config)} {which}", f"pytest/{config.rootpath.name}"
    settings = stacks.settings_of()
    if wish["fork"]:
        made = stacks.Stack.forked(settings, branch, _base(config, template, wish, repository), repository)
    else:
        made = stacks.Stack.up(settings, branch, template, wish["parameters"], repository)
    if wish["reset"]:
        try:
            made.freeze()
        except BaseException:
            made.close()
            raise
    return made


def _base(config: pytest.Config, template: Path, wish: dict[str, Any], repository: str) -> Any:
    """The cut of the stack that all workers fork: made by who comes first, kept alive by everyone who uses it."""
    from stackengine import locks
    from stackengine.service import Session
    from stackengine.service.environments import cuts, run
    from stackengine.testing import stacks

    settings, parameters = stacks.settings_of(), json.dumps(wish["parameters"], sort_keys=True, default=str)
    folder = _notes(config)
    folder.mkdir(mode=0o700, exist_ok=True)
    note = folder / f"{hashlib.sha256(f'{template} {parameters}'.encode()).hexdigest()[:16]}.json"
    with locks.alone(note.with_suffix(".lock")):
        if not note.is_file():
            made = stacks.Stack.up(settings, f"{template.stem} {_run_id(config)} base {parameters}", template, wish["parameters"], repository)
            try:
                note.write_text(json.dumps({"name": made.name, "cut": made.freeze().id}))
            except BaseException:
                made.close()
                raise
            made.leave()
    shared = json.loads(note.read_text())
    lease = run.Lease(settings, shared["name"])
    lease.__enter__()
    config.add_cleanup(lambda: lease.__exit__(None, None, None))
    with Session(settings) as session:
        return cuts.find(session, shared["cut"])


def pytest_unconfigure(config: pytest.Config) -> None:
    """When all workers have ended, what they shared is taken down."""
    folder = _notes(config)
    if _worker(config) or not folder.is_dir():
        return
    from stackengine.testing import stacks

    for note in folder.glob("*.json"):
        stacks.take_down(stacks.settings_of(), json.loads(note.read_text())["name"])
    shutil.rmtree(folder, ignore_errors=True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failed test's report tells what happened to its stack."""
    report = yield
    used = item.stash.get(_USED, None)
    if report.failed and used is not None:
        try:
            report.sections.append((f"stack {used.name}", used.story()))
        except Exception as error:  # the test's own failure must be told, whatever has become of the stack
            report.sections.append((f"stack {used.name}", f"its events cannot be had: {error}"))
    return report
