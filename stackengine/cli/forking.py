"""The verbs of ``env`` that stand on cuts: fork, freeze, reset, and ``up --from``."""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from stackengine.cli import options, origins
from stackengine.cli.exit_codes import FAILED, OK
from stackengine.cli.render import environments as view
from stackengine.cli.render.outputs import outputs_data
from stackengine.cli.render.table import table
from stackengine.cli.render.times import ago, iso
from stackengine.service import Session, prepare, stacks
from stackengine.service.environments import cuts, quota, ready, up
from stackengine.service.environments import fork as forks
from stackengine.service.environments.naming import repository_of, without_password
from stackengine.service.environments.origin import Origin
from stackengine.service.types import ServiceError

if TYPE_CHECKING:
    from stackengine.cli.terminal import Terminal
    from stackengine.store.store import StackRow


def fork(args: argparse.Namespace, terminal: Terminal) -> int:
    """A branch as a copy of an environment that runs."""
    with Session(options.settings(args)) as session:
        parent = origins.named(session, args, args.parent)
        life = parent.life
        if args.branch:
            base = Origin(life.repository, args.branch, args.commit or life.commit, life.remote, "flags")
            origin = replace(base, repository=repository_of(args.repo), remote=without_password(args.repo)) if args.repo else base
        else:
            origin = origins.origin_of(args, Path.cwd())
        wanted = up.Wanted(origin, args.ttl, "host", life.owner, parent=parent.row.name)
        reason = "" if args.frozen else cuts.why_not(session, parent)
        if reason:
            raise ServiceError(f"{parent.row.name} cannot be forked: {reason}", hint=f"stack-run env show {parent.row.name} says how it stands")
        forks.check_new(session, wanted.name)
        cut = newest(session, parent) if args.frozen else None
        row = _fork(session, args, (parent, cut), wanted, terminal, let_in=_let_in(session, args, parent, wanted, terminal))
    with Session(replace(options.settings(args), host=row.host)) as session:
        preview = prepare.prepare_revision(session, session.store.stack_of(row.id), 1, "update")  # its own ports, and what stands outside
        result = stacks.carry_out(session, preview, on_failure="keep")
        found = up.find(session, row.name)
        outputs = stacks.outputs(session, row.name)
        ready.next_one(session, row.name)
    if terminal.json:
        terminal.document("environment", view.data(found, outputs_data(outputs)))
    else:
        terminal.data(view.whole(found, outputs, time.time(), terminal.style))
    return OK if result.status == "complete" else FAILED


def _fork(
    session: Session, args: argparse.Namespace, source: tuple[up.Environment, cuts.Cut | None], wanted: up.Wanted, terminal: Terminal, *, let_in: bool
) -> StackRow:  # fmt: skip
    parent, cut = source
    start = time.monotonic()
    done = forks.fork(session, wanted, parent, cut, args.renew, let_in=let_in)
    used = cut or next(c for c in reversed(cuts.ls(session)) if c.data["stack"] == parent.row.id)
    stood = "" if cut else f", which stood still for {used.pause:.2f} s"
    terminal.note(f"{wanted.name} is a fork of {parent.row.name}{stood}; it runs after {time.monotonic() - start:.1f} s")
    for server, missed in done.missed.items():
        terminal.warn(f"{server}: {missed}")
    return done.row


def _let_in(session: Session, args: argparse.Namespace, parent: up.Environment, wanted: up.Wanted, terminal: Terminal) -> bool:
    """Wait for the room that the parent takes, where the machine's owner set quotas; whether there are any."""
    with Session(replace(session.settings, host=f"private://{wanted.name}")) as there:
        return quota.let_in(there, wanted, lambda: stacks.graph(session, parent.row.name), terminal.note, args.room_timeout)


def before_up(session: Session, args: argparse.Namespace, wanted: up.Wanted, terminal: Terminal) -> None:
    """``up --from``: the fork, where it can be; else it is said why it is a cold start."""
    parent = origins.named(session, args, args.from_)
    reason = "" if args.frozen else cuts.why_not(session, parent)
    if not reason and session.settings.host != f"private://{wanted.name}":
        reason = f"{wanted.name} is to be on {session.settings.host or 'a shared host'}, not in a private host of its own"
    if not reason:
        cut = newest(session, parent) if args.frozen else None
        let_in = _let_in(session, args, parent, wanted, terminal)
        try:
            _fork(session, args, (parent, cut), replace(wanted, parent=parent.row.name), terminal, let_in=let_in)
        except ServiceError as error:  # a disk that cannot be frozen, say; nothing of the fork is left
            reason = str(error).removeprefix(f"{wanted.name} cannot be forked: ")
    if reason:
        terminal.warn(f"a cold start, no fork of {parent.row.name}: {reason}")


def newest(session: Session, parent: up.Environment) -> cuts.Cut:
    """The last cut of an environment that is kept; ServiceError when there is none."""
    kept = [c for c in cuts.ls(session) if c.data["stack"] == parent.row.id and c.data["kept"]]
    if not kept:
        raise ServiceError(f"{parent.row.name} has no frozen cut", hint=f"stack-run env freeze {parent.row.name}")
    return kept[-1]


def freeze(args: argparse.Namespace, terminal: Terminal) -> int:
    """A cut that is kept."""
    with Session(options.settings(args)) as session:
        cut = cuts.take(session, origins.found(session, args), kept=True)
    if terminal.json:
        terminal.document("cut", data(cut))
    else:
        terminal.say(f"{cut.id}: {cut.parent} at {cut.data['commit'][:12] or 'no commit'}; it stood still for {cut.pause:.2f} s")
    return OK


def reset(args: argparse.Namespace, terminal: Terminal) -> int:
    """Back to the last cut that is kept."""
    with Session(options.settings(args)) as session:
        found = origins.found(session, args)
        cut = newest(session, found)
        start = time.monotonic()
        missed = forks.reset(session, found, cut)
    for server, said in missed.items():
        terminal.warn(f"{server}: {said}")
    if terminal.json:
        terminal.document("cut", data(cut))
    else:
        terminal.say(f"{found.row.name} is as it was at {cut.id} ({time.monotonic() - start:.1f} s)")
    return OK


def ls(args: argparse.Namespace, terminal: Terminal) -> int:
    """Every cut."""
    with Session(options.settings(args)) as session:
        found = cuts.ls(session)
    if terminal.json:
        terminal.documents("cut", [data(c) for c in found])
    elif found:
        now = time.time()
        rows = [[c.id, c.parent, c.data["commit"][:12] or "-", "kept" if c.data["kept"] else "while in use", ago(c.data["made_at"], now)] for c in found]
        terminal.data(table(["cut", "of", "commit", "stays", "made"], rows, terminal.style))
    else:
        terminal.say("no cuts; `stack-run env freeze` takes one")
    return OK


def data(cut: cuts.Cut) -> dict[str, object]:
    """A cut as JSON."""
    return {
        "id": cut.id, "parent": cut.parent, "commit": cut.data["commit"], "made_at": iso(cut.data["made_at"]), "kept": cut.data["kept"],
        "pause_seconds": cut.pause, "stands_on": cut.data["stands_on"],
    }  # fmt: skip

