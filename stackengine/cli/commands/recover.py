"""Rebuild a lost database from a host: from the metadata of domains and networks and the records beside volumes.

Needs the lost store's key (the file `key` of the state folder, or STACKENGINE_KEY). What it finds is recorded as unfinished, with
the newest revision and its outputs as far as the objects carry them; then `stack-run up TEMPLATE`, or `repair STACK` without the template, takes
every object over as it is, and makes what is only a record under the same identity. It lists what it could not bring back.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from stackengine.cli import options
from stackengine.cli.exit_codes import FAILED, OK
from stackengine.cli.terminal import Terminal

if TYPE_CHECKING:
    from stackengine.service.recover import Report


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("--from-host", metavar="URI", required=True, help="memory://, private://NAME or any libvirt URI")
    parser.add_argument("--yes", "-y", action="store_true", help="do not ask")


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Look, ask, record."""
    from stackengine import service
    from stackengine.service import recover

    with service.open(options.settings(args)) as session:
        report = recover.look(session, args.from_host)
        if not terminal.json:
            _show(report, terminal)
        if report.stacks:
            if not args.yes and not terminal.ask("Record this?"):
                terminal.say("nothing was done")
                return FAILED
            recover.record(session, report)
    if terminal.json:
        terminal.document("recovered", _data(report))
    elif report.stacks:
        name = report.stacks[0].row.name
        terminal.say(f"recorded; next: stack-run up TEMPLATE --name {name}, or without the template: stack-run repair {name}")
    return OK if report.stacks or not report.not_recovered else FAILED


def _show(report: Report, terminal: Terminal) -> None:
    for stack in report.stacks:
        revision = stack.revision()
        at = f" at revision {revision.number}, with {len(revision.desired.outputs)} outputs" if revision is not None else ""
        terminal.data(f"{stack.row.name}: {len(stack.instances)} resources on {report.host}{at}")
        for instance in sorted(stack.instances.values(), key=lambda i: i.id):
            terminal.data(f"  + {instance.path}  {instance.type}  generation {instance.generation}  {instance.physical_id}")
    if report.not_recovered:
        terminal.data("Not recovered:")
        for what, why in report.not_recovered:
            terminal.data(f"  ? {what}: {why}")
    if not report.stacks and not report.not_recovered:
        terminal.say(f"{report.host} has nothing of ours that the store does not know")


def _data(report: Report) -> dict[str, Any]:
    return {
        "host": report.host,
        "stacks": [
            {
                "name": s.row.name,
                "id": s.row.id,
                "revision": revision.number if (revision := s.revision()) is not None else None,
                "outputs": sorted(revision.desired.outputs) if revision is not None else [],
                "resources": [{"path": i.path, "type": i.type, "generation": i.generation, "physical_id": i.physical_id} for i in s.instances.values()],
            }
            for s in report.stacks
        ],
        "not_recovered": [{"what": what, "why": why} for what, why in report.not_recovered],
    }
