"""Use cases of branch environments: open, begin, conclude, down, and what people change in their lives."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

from stackengine.sdk import HostError
from stackengine.service import prepare, stacks
from stackengine.service.environments.life import TAG, Life, life_of
from stackengine.service.environments.naming import environment_name
from stackengine.service.environments.origin import Origin
from stackengine.service.session import Session
from stackengine.service.types import NotThereError, OperationResult, Preview, ServiceError, Settings
from stackengine.store.store import StackRow

Turn = Literal["overtake", "queue", "refuse"]
"""What an ``up`` does while another one runs on the same environment."""
LOOK_EVERY = 0.2
TURN_SECONDS = 1800.0
"""How long an ``up`` waits for its turn."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What ``env up`` is asked for, besides the stack's request."""

    origin: Origin
    ttl: float | None = None
    """Seconds; None: as before, else the default."""
    isolation: Literal["host", "shared"] = "host"
    owner: str = ""
    run_until: float | None = None
    parent: str = ""
    idle_ttl: float | None = None
    """Seconds without traffic after which it is parked; None: as before."""

    @property
    def name(self) -> str:
        """The environment's name."""
        return environment_name(self.origin.repository, self.origin.branch)


def open_for(settings: Settings, wanted: Wanted) -> Session:
    """A session for this environment: on the host that was named, on the one where it is, else on a private host of its own."""
    session = Session(settings)
    known = session.store.stack(wanted.name)
    if known is not None:
        if life_of(known.tags) is None:
            session.close()
            raise ServiceError(f"a stack {wanted.name} is there, and it is no environment", hint="say --branch another way, or take that stack down")
        host = settings.host or known.host
    else:
        host = settings.host or (f"private://{wanted.name}" if wanted.isolation == "host" else "")
    session.settings = replace(settings, host=host)
    return session


def fresh_life(wanted: Wanted, host: str) -> Life:
    """The life of an environment that is only wished for yet, on the host of this URI."""
    origin, isolation = wanted.origin, "host" if host == f"private://{wanted.name}" else "shared"
    return Life(origin.repository, origin.branch, remote=origin.remote, owner=wanted.owner, isolation=isolation, run_until=wanted.run_until)  # type: ignore[arg-type]


def life_from(base: Life, wanted: Wanted, now: float) -> Life:
    """The life that goes on from ``base`` with what is wanted now."""
    origin, ttl, remote = wanted.origin, wanted.ttl or base.ttl, wanted.origin.remote or base.remote
    return replace(
        base, pushed=origin.commit, remote=remote, owner=wanted.owner or base.owner, ttl=ttl, expires_at=now + ttl, for_run=wanted.run_until is not None,
        run_until=wanted.run_until, seen=(base.seen and remote == base.remote) or origin.pushed, missing_since=None, parent=wanted.parent or base.parent,
        idle_ttl=wanted.idle_ttl or base.idle_ttl, active_at=now,
    )  # fmt: skip


def begin(session: Session, preview: Preview, wanted: Wanted) -> None:
    """Record the environment's life before anything is made, so that the reaper knows of what a crash leaves half-made."""
    now = time.time()
    row: StackRow = preview.prepared.stack
    before = life_of(row.tags)
    life = life_from(before or fresh_life(wanted, session.settings.host), wanted, now)
    if preview.new_stack:
        row.tags[TAG] = life.to_tags()
    else:
        change(session, row, lambda _: life)


def hold(session: Session, preview: Preview, cuts: tuple[str, ...]) -> None:
    """The environment's disks stand on these cuts from now on."""
    row: StackRow = preview.prepared.stack
    life = life_of(row.tags)
    assert life is not None
    if preview.new_stack:
        row.tags[TAG] = replace(life, cuts=tuple(dict.fromkeys([*life.cuts, *cuts]))).to_tags()
    else:
        change(session, row, lambda life: replace(life, cuts=tuple(dict.fromkeys([*life.cuts, *cuts]))))


def with_commit(preview: Preview, wanted: Wanted) -> Preview:
    """The preview whose operation remembers which commit it brings."""
    prepared = preview.prepared
    return replace(preview, prepared=replace(prepared, aim={**prepared.aim, "commit": wanted.origin.commit}))


@dataclass(frozen=True, slots=True)
class Push:
    """One push: the commit, what its plan had to do, and how it ended."""

    commit: str
    revision: int
    """At which the environment was when it had ended."""
    plan: dict[str, Any]
    status: str
    reason: str
    started_at: float
    finished_at: float | None


def pushes(session: Session, row: StackRow) -> list[Push]:
    """Every push that had something to do, oldest first."""
    return [
        Push(o.options["commit"], o.to_revision, o.plan, o.status, o.reason, o.started_at, o.finished_at)
        for o in session.store.operations(row.id)
        if "commit" in o.options
    ]


def conclude(session: Session, wanted: Wanted, result: OperationResult) -> Life:
    """Note which commit is served: the new one when it is up, else the one before."""
    row = prepare.find_stack(session, wanted.name)
    served = result.status == "complete"
    return change(session, row, lambda life: replace(life, commit=wanted.origin.commit) if served else life)


def change(session: Session, row: StackRow, make: Callable[[Life], Life]) -> Life:
    """Replace the life of an environment by what ``make`` makes of it, in one transaction."""

    def tags(found: dict[str, Any]) -> dict[str, Any]:
        life = life_of(found)
        if life is None:
            raise ServiceError(f"{row.name} is no environment", hint="see 'stack-run env ls'")
        return {**found, TAG: make(life).to_tags()}

    life = life_of(session.store.change_tags(row.id, tags))
    assert life is not None
    return life


def take_turn(session: Session, name: str, policy: Turn, tell: Callable[[str], None], limit: float = TURN_SECONDS) -> None:
    """Wait until no living process works on the environment; ``overtake`` asks it to stop handing out work, ``refuse`` does not wait."""
    end, told = time.monotonic() + limit, False
    while True:
        row = session.store.stack(name)
        if row is None or stacks.state_of(session, row)[0] != "running":
            return
        if policy == "refuse":
            raise ServiceError(f"an operation runs on {name}", hint="say --while-busy queue or overtake")
        if not told:
            told = True
            tell(f"{name}: another push is being carried out; {'it is overtaken' if policy == 'overtake' else 'waiting for it'}")
            if policy == "overtake":
                session.store.ask_cancel(row.id, "keep")
        if time.monotonic() > end:
            raise ServiceError(f"{name} was busy for {limit:g} s", hint=f"stack-run events {name} --follow")
        time.sleep(LOOK_EVERY)


@dataclass(frozen=True, slots=True)
class Environment:
    """One environment as ``ls`` shows it."""

    row: StackRow
    life: Life
    state: str
    reason: str


def ls(session: Session) -> list[Environment]:
    """Every living environment, by name."""
    found = []
    for row in session.store.stacks():
        life = life_of(row.tags)
        if life is not None:
            state, reason = stacks.state_of(session, row)
            found.append(Environment(row, life, state, reason))
    return found


def find(session: Session, name: str, repository: str = "", *, exact: bool = False) -> Environment:
    """The environment of this name, else of this branch of the repository; ServiceError naming those that there are.

    ``repository``: empty where none is known; then a branch will do that only one has, with ``exact`` no branch at all.
    """
    everyone = ls(session)
    branch = [e for e in everyone if e.life.branch == name]
    found = [e for e in everyone if e.row.name == name] or [e for e in branch if (not exact and not repository) or e.life.repository == repository]
    if len(found) == 1:
        return found[0]
    names = ", ".join(f"{e.row.name} of {e.life.repository}" for e in branch)
    if branch and not repository:
        raise ServiceError(f"a branch {name} is of more than one repository, or may be", hint=f"say --repo, or the full name: {names}", exit_code=2)
    if branch:
        raise NotThereError(f"there is no environment {name} of {repository}", hint=f"those of other repositories go by their full name: {names}")
    raise NotThereError(f"there is no environment {name}", hint=f"there are: {', '.join(e.row.name for e in everyone) or 'none'}")


def remove_host(session: Session, row: StackRow, life: Life) -> None:
    """Remove the private host that was made for an environment, when its stack is gone."""
    from stackengine.hosts import private

    name = row.host.removeprefix("private://")
    if life.isolation != "host" or name != row.name or session.store.stack(row.name) is not None:
        return
    try:
        private.remove(name, session.folder)
    except HostError as error:
        raise ServiceError(f"the host {row.host} cannot be removed: {error}", hint=error.hint or f"stack-run hosts rm {name}") from error
