"""The reaper: brings the world in line with what environments are allowed to be. Any number of them may run at the same time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from stackengine.model.diagnostics import InvalidTemplateError
from stackengine.sdk import HostError
from stackengine.service import owner, stacks
from stackengine.service.environments import cuts, park, quota, ready, up
from stackengine.service.environments.life import Life, Verdict, judge, life_of
from stackengine.service.environments.naming import repository_of
from stackengine.service.environments.origin import Branches, branches_of
from stackengine.service.session import Session
from stackengine.service.types import REFUSALS, ServiceError


@dataclass(frozen=True, slots=True)
class Reaped:
    """What became of one environment. ``done``: it is gone now; ``problem``: why it is not, although it should be."""

    name: str
    branch: str
    verdict: Verdict
    done: bool = False
    problem: str = ""


def reap(
    session: Session, *, dry_run: bool = False, everything: bool = False, repository: str = "", ask: Branches = branches_of,
    clock: Callable[[], float] = time.time,
) -> Iterator[Reaped]:  # fmt: skip
    """Judge every environment (of one repository, if named) and take down what has to go; what goes wrong with one keeps it from no other.

    ``everything`` takes down all of them, pinned ones too. A remote is asked once; where it cannot be reached, no branch counts as gone.
    """
    repository = repository_of(repository) if repository else ""
    answers: dict[str, frozenset[str] | None] = {}
    everyone = up.ls(session)
    too_many = quota.over(everyone, owner.quotas())
    for found in everyone:
        now = clock()
        if not dry_run:
            found = _looked_at(session, found, now)  # noqa: PLW2901
        life = found.life
        if repository and life.repository != repository:
            continue
        if life.remote not in answers:
            answers[life.remote] = ask(life.remote)
        branches = answers[life.remote]
        verdict = judge(life, state=found.state, ever_up=found.row.revision > 0, touched_at=found.row.updated_at, now=now, branches=branches)
        if verdict.action in ("keep", "watch", "park") and found.row.name in too_many:
            verdict = Verdict("reap", too_many[found.row.name])
        if everything:
            verdict = Verdict("reap", "everything was asked for")
        if verdict.action != "reap" or dry_run:
            problem = "" if dry_run else _keep(session, found, verdict, branches, now)
            yield Reaped(found.row.name, life.branch, verdict, done=verdict.action == "park" and not dry_run and not problem, problem=problem)
            continue
        yield _take_down(session, found, verdict)
    if not dry_run:
        _forget_hosts(session)
        cuts.sweep(session, everything=everything)
        ready.tend(session)


def _note_branch(session: Session, found: up.Environment, branches: frozenset[str] | None, now: float) -> None:
    """Remember that a branch was seen, when it was first seen to be gone, and forget that when it is back."""
    if branches is None:
        return

    def noted(life: Life) -> Life:
        since = (life.missing_since or now) if life.is_gone(branches) else None
        return replace(life, seen=life.seen or life.branch in branches, missing_since=since)

    if noted(found.life) != found.life:
        up.change(session, found.row, noted)


def _looked_at(session: Session, found: up.Environment, now: float) -> up.Environment:
    """With a fresh look at its traffic, where somebody set a time after which it is parked."""
    if found.life.idle_ttl is None or found.life.parked_at is not None or found.row.revision == 0 or found.state == "running":
        return found
    try:
        moved = park.traffic(session, found.row)
        return replace(found, life=up.change(session, found.row, lambda life: park.noticed(life, moved, now)))
    except (*REFUSALS, HostError):  # nobody can say whether it is idle
        return found


def _keep(session: Session, found: up.Environment, verdict: Verdict, branches: frozenset[str] | None, now: float) -> str:
    """What is due to one that stays; what went wrong with that."""
    try:
        _note_branch(session, found, branches, now)
        if verdict.action == "park":
            park.park(session, found)
    except (*REFUSALS, HostError) as error:
        return str(error)
    return ""


def _take_down(session: Session, found: up.Environment, verdict: Verdict) -> Reaped:
    name, branch = found.row.name, found.life.branch
    try:
        down(session, name)
    except InvalidTemplateError as error:
        return Reaped(name, branch, verdict, problem="; ".join(d.summary for d in error.diagnostics.errors))
    except (*REFUSALS, HostError) as error:
        gone = _is_gone(session, name)
        return Reaped(name, branch, verdict, done=gone, problem="" if gone else f"{error}")
    return Reaped(name, branch, verdict, done=True)


def _is_gone(session: Session, name: str) -> bool:
    try:
        return session.store.stack(name) is None
    except REFUSALS:
        return False


def down(session: Session, name: str) -> None:
    """Take an environment down with its host; ServiceError when something of it stays."""
    found = up.find(session, name, exact=True)
    at_host = replace(session.settings, host="")
    with Session(at_host) as fresh:
        fresh.registry = session.registry
        result = stacks.carry_out(fresh, stacks.preview_down(fresh, found.row.name), on_failure="keep")
    if result.status != "complete":
        raise ServiceError(result.failures[0].message if result.failures else f"it ended as {result.status}", hint=f"stack-run down {name}")
    up.remove_host(session, found.row, found.life)


def _forget_hosts(session: Session) -> None:
    """Remove private hosts that were made for an environment whose removal was cut short: their name is that of a stack that is gone."""
    from stackengine.hosts import private

    living = {s.host for s in session.store.stacks()}
    gone = {s.name: s for s in session.store.stacks(all_=True) if not s.alive}
    for name in private.names(session.folder):
        row = gone.get(name)
        life = life_of(row.tags) if row is not None else None
        if row is not None and life is not None and f"private://{name}" not in living:
            up.remove_host(session, row, life)
