"""The verbs of ``env``."""

from __future__ import annotations

import argparse
import importlib
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from stackengine.cli import forking, operations, options, parameters, requests, telling
from stackengine.cli.commands import outputs as outputs_command
from stackengine.cli.errors import UsageError
from stackengine.cli.exit_codes import FAILED, OK, PASSED_THROUGH
from stackengine.cli.origins import found as found_by
from stackengine.cli.origins import origin_of
from stackengine.cli.project import template_of
from stackengine.cli.render import environments as view
from stackengine.cli.render.outputs import outputs_data
from stackengine.events import Event
from stackengine.sdk import HostError
from stackengine.service import Session, prepare, stacks, templates
from stackengine.service.environments import park as parking
from stackengine.service.environments import provisioned, quota, ready, up
from stackengine.service.environments import reap as reaper
from stackengine.service.environments import run as runs
from stackengine.service.environments import serve as serving
from stackengine.service.environments.collect import collect
from stackengine.service.environments.life import LEASE, Life
from stackengine.service.environments.naming import environment_name
from stackengine.service.environments.origin import Origin
from stackengine.service.types import REFUSALS, NotThereError, OperationResult, PlanMovedError, Preview, Request, ServiceError, StackBusyError

if TYPE_CHECKING:
    from stackengine.cli.terminal import Terminal


def _wanted(args: argparse.Namespace, template: Path, run_until: float | None = None) -> up.Wanted:
    origin = origin_of(args, template.absolute().parent)
    owner = os.environ.get("GITHUB_ACTOR") or os.environ.get("GITLAB_USER_LOGIN") or os.environ.get("USER", "")
    return up.Wanted(origin, args.ttl, args.isolation or "host", owner, run_until, idle_ttl=args.idle_ttl)


def _up(args: argparse.Namespace, terminal: Terminal) -> int:
    template = requests.existing(template_of(args))
    return _bring_up(args, terminal, template, _wanted(args, template))


def _bring_up(args: argparse.Namespace, terminal: Terminal, template: Path, wanted: up.Wanted) -> int:
    """Carry an ``up`` out; where another push came first in the very same moment, by the policy for that again."""
    policy: up.Turn = args.while_busy or "overtake"
    args.yes = True
    with up.open_for(options.settings(args), wanted) as session:
        request = Request(
            wanted.name, template, parameters.of(args), tuple(requests.existing(e) for e in args.environment), ambient=parameters.from_environment(),
            remap=args.remap_cidr, shaped=provisioned.Starts(wanted.origin.repository, wanted=args.provisioned),
        )  # fmt: skip
        while True:
            up.take_turn(session, wanted.name, policy, terminal.note)
            _wake_first(session, wanted, args, terminal)
            if args.from_ and session.store.stack(wanted.name) is None:
                forking.before_up(session, args, wanted, terminal)
            _make_room(session, request, wanted, args, terminal)
            preview = up.with_commit(stacks.preview(session, request), wanted)
            telling.propose(preview, args, terminal)
            if _nothing_stays(preview):
                terminal.warn("the template has nothing in common with the commit before: everything is made anew, and its data goes")
            try:
                code = _carry_out(session, preview, args, wanted, terminal)
                ready.next_one(session, wanted.name)
                return code
            except PlanMovedError as error:
                terminal.note(str(error))
            except StackBusyError:
                if policy == "refuse":
                    raise
                time.sleep(up.LOOK_EVERY)


def _nothing_stays(preview: Preview) -> bool:
    """Whether an update takes away every object that there is."""
    there = {i.path for i in preview.recorded.instances.values()}
    going = {a.path for a in preview.plan.actions.values() if a.verb in ("delete", "retain")}
    return bool(there) and preview.kind == "update" and there <= going


def _carry_out(session: Session, preview: Preview, args: argparse.Namespace, wanted: up.Wanted, terminal: Terminal) -> int:
    up.begin(session, preview, wanted)
    provisioned.hold(session, preview.desired, lambda ids: up.hold(session, preview, ids))
    ended: list[OperationResult] = []

    def work(watch: Callable[[Event], None]) -> OperationResult | None:
        ended.append(stacks.carry_out(session, preview, timeout=args.timeout, watch=watch))
        return ended[-1]

    code = operations.watch_work(work, wanted.name, args, terminal, preview=preview, policy="rollback")
    if ended:
        _tell(session, preview, wanted, ended[-1], terminal)
    if ended and ended[-1].status == "complete" and args.provisioned:
        kept = provisioned.keep(session, preview, wanted, terminal.warn)
        if kept:
            terminal.note(f"the disks of {', '.join(kept)} are kept: the next environment starts from them")
    return code


def _wake_first(session: Session, wanted: up.Wanted, args: argparse.Namespace, terminal: Terminal) -> None:
    row = session.store.stack(wanted.name)
    if row is not None:
        found = up.find(session, wanted.name)
        if found.life.parked_at is not None:
            terminal.note(f"{wanted.name} is parked: waking it")
            _wake(session, found, args, terminal)


def _wake(session: Session, found: up.Environment, args: argparse.Namespace, terminal: Terminal) -> int:
    """Wait for the room that it had before it was parked, and let it go on; how many guests."""
    if found.life.parked_at is not None:
        same = up.Wanted(Origin(found.life.repository, found.life.branch), owner=found.life.owner)
        quota.let_in(session, same, lambda: stacks.graph(session, found.row.name), terminal.note, args.room_timeout)
    return parking.wake(session, found)


def _make_room(session: Session, request: Request, wanted: up.Wanted, args: argparse.Namespace, terminal: Terminal) -> None:
    """Wait for room where the machine's owner set quotas; before that nothing is made."""
    quota.let_in(session, wanted, lambda: templates.graph(session, request), terminal.note, args.room_timeout)


def _tell(session: Session, preview: Preview, wanted: up.Wanted, result: OperationResult, terminal: Terminal) -> None:
    life = up.conclude(session, wanted, result)
    row = prepare.find_stack(session, wanted.name)
    shown = {"seq": row.last_seq, "outputs": outputs_data(stacks.outputs(session, wanted.name))}
    up.change(session, row, lambda life: replace(life, shown=shown))
    if result.status == "rolled_back" and not preview.new_stack and life.commit and not terminal.json:
        terminal.warn(f"{wanted.name} still serves commit {life.commit[:12]}: {wanted.origin.commit[:12] or 'the new one'} failed and was rolled back")


def _run(args: argparse.Namespace, terminal: Terminal) -> int:
    if not args.rest:
        raise UsageError("env run needs a command", hint="stack-run env run TEMPLATE -- CMD ...")
    template = requests.existing(template_of(args))
    wanted = _wanted(args, template, time.time() + LEASE)
    if not args.branch:  # several runs of one branch are several environments
        wanted = replace(wanted, origin=replace(wanted.origin, branch=runs.branch_of(wanted.origin.branch)))
    settings = options.settings(args)
    code = PASSED_THROUGH
    with runs.Lease(settings, wanted.name), runs.ended_by_signals():
        try:
            if _bring_up(args, terminal, template, wanted) == OK:
                code = _command(args, wanted.name)
        finally:
            kept = bool(code and args.keep_on_failure)
            _leave(args, terminal, wanted.name, keep=args.keep_on_failure if kept else None)
    return code


def _command(args: argparse.Namespace, name: str) -> int:
    with Session(options.settings(args)) as session:
        outputs = stacks.outputs(session, name, show_secrets=True)
    with tempfile.TemporaryDirectory(prefix="se-run-") as folder:
        file = Path(folder) / "outputs.json"
        runs.write_outputs(outputs, file)
        return runs.command(args.rest, runs.variables(name, outputs, file))


def _leave(args: argparse.Namespace, terminal: Terminal, name: str, *, keep: float | None) -> None:
    with Session(options.settings(args)) as session:
        row = session.store.stack(name)
        if row is None:
            return
        if args.artifacts:
            files = collect(session, name, Path(args.artifacts), args.collect or ())
            terminal.note(f"collected in {args.artifacts}: {', '.join(files)}")
        if keep is not None:
            up.change(session, row, lambda life: replace(life, run_until=None, expires_at=time.time() + keep))
            terminal.note(f"{name} is kept for {keep / 3600:.1f} h: stack-run ssh {name} SERVER, stack-run env down {name}")
            return
        try:
            reaper.down(session, name)
        except (*REFUSALS, HostError) as error:
            terminal.warn(f"{name} could not be taken down: {error}; 'stack-run env reap' tries again")


def _ls(args: argparse.Namespace, terminal: Terminal) -> int:
    with Session(options.settings(args)) as session:
        found = up.ls(session)
        if terminal.json:
            terminal.documents("environment", [view.data(e, view.outputs_of(session, e)) for e in found])
            return OK
    if found:
        terminal.data(view.listing(found, time.time(), terminal.style))
    else:
        terminal.say("no environments; `stack-run env up TEMPLATE` makes one for this branch")
    return OK


def _show(args: argparse.Namespace, terminal: Terminal) -> int:
    with Session(options.settings(args)) as session:
        found = found_by(session, args)
        outputs, pushes = stacks.outputs(session, found.row.name), up.pushes(session, found.row)
    if terminal.json:
        terminal.document("environment", {**view.data(found, outputs_data(outputs)), "pushes": view.pushes_data(pushes)})
    else:
        terminal.data(view.whole(found, outputs, time.time(), terminal.style, pushes))
    return OK


def _summary(args: argparse.Namespace, terminal: Terminal) -> int:
    from stackengine.cli.render.summary import markdown

    with Session(options.settings(args)) as session:
        found = found_by(session, args)
        name = found.row.name
        terminal.data(markdown(found, stacks.outputs(session, name), stacks.graph(session, name), stacks.events(session, name)))
    return OK


def _outputs(args: argparse.Namespace, terminal: Terminal) -> int:
    with Session(options.settings(args)) as session:
        try:
            found = found_by(session, args)
        except ServiceError:
            here = _of_checkout(session, args)
            if here is None:
                raise
            found, args.output = here, args.name
        args.stack = found.row.name
    return outputs_command.run(args, terminal)


def _of_checkout(session: Session, args: argparse.Namespace) -> up.Environment | None:
    """The environment of this checkout, where the only word is an output of it and no environment's name."""
    if not args.name or args.output:
        return None
    try:
        here = origin_of(args, Path.cwd())
        its = up.find(session, environment_name(here.repository, here.branch))
    except ServiceError:
        return None
    return its if args.name in stacks.outputs(session, its.row.name) else None


def _as_stack(args: argparse.Namespace, terminal: Terminal) -> int:
    """``ssh``, ``logs``, ``events``: as for any stack."""
    with Session(options.settings(args)) as session:
        args.stack = found_by(session, args).row.name
    return int(importlib.import_module(f"stackengine.cli.commands.{args.verb}").run(args, terminal))


def _down(args: argparse.Namespace, terminal: Terminal) -> int:
    with Session(options.settings(args)) as session:
        try:
            name = found_by(session, args).row.name
        except NotThereError as error:
            if not args.if_there:
                raise
            terminal.say(str(error))
            return OK
        if args.closed and next((s.value for s in args.config if s.key == "closed_pull_request"), "keep") != "end":
            terminal.say(f"{name} stays until its branch is gone (closed_pull_request: keep)")
            return OK
        reaper.down(session, name)
    terminal.say(f"{name}: gone")
    return OK


def _change(args: argparse.Namespace, terminal: Terminal) -> int:
    now = time.time()

    def changed(life: Life) -> Life:
        if args.verb == "extend":
            return replace(life, expires_at=now + args.ttl, ttl=args.ttl)
        return replace(life, pinned=args.verb == "pin")

    with Session(options.settings(args)) as session:
        found = found_by(session, args)
        life = up.change(session, found.row, changed)
        shown = replace(found, life=life)
    if terminal.json:
        terminal.document("environment", view.data(shown, {}))
    else:
        terminal.data(view.listing([shown], now, terminal.style))
    return OK


def _park(args: argparse.Namespace, terminal: Terminal) -> int:
    with Session(options.settings(args)) as session:
        found = found_by(session, args)
        count = parking.park(session, found) if args.verb == "park" else _wake(session, found, args, terminal)
        shown = up.find(session, found.row.name)
    if terminal.json:
        terminal.document("environment", view.data(shown, {}))
    else:
        terminal.say(f"{shown.row.name}: guests {'saved' if args.verb == 'park' else 'that go on'}: {count}")
    return OK


def _serve(args: argparse.Namespace, terminal: Terminal) -> int:
    def tell(item: reaper.Reaped) -> None:
        if terminal.json:
            terminal.document("reaped", view.reaped_data(item), line=True)
        else:
            terminal.data(view.reaped_line(item))

    serving.serve(options.settings(args), args.every, tell, terminal.warn, args.dns)
    return OK


def _reap(args: argparse.Namespace, terminal: Terminal) -> int:
    code, none = OK, True
    with Session(options.settings(args)) as session:
        for item in reaper.reap(session, dry_run=args.dry_run, everything=args.all, repository=args.repo):
            code, none = FAILED if item.problem else code, False
            if terminal.json:
                terminal.document("reaped", view.reaped_data(item), line=True)
            else:
                terminal.data(view.reaped_line(item, dry_run=args.dry_run))
    if none and args.repo:
        terminal.note(f"there is no environment of {args.repo}")
    return code


VERBS: dict[str, Callable[[argparse.Namespace, Terminal], int]] = {
    "up": _up, "run": _run, "ls": _ls, "show": _show, "down": _down, "pin": _change, "unpin": _change, "extend": _change, "reap": _reap,
    "park": _park, "wake": _park, "serve": _serve, "outputs": _outputs, "summary": _summary,
    "fork": forking.fork, "freeze": forking.freeze, "reset": forking.reset, "cuts": forking.ls, "ssh": _as_stack, "logs": _as_stack, "events": _as_stack,
}  # fmt: skip
