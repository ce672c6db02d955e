"""List, start, stop, remove and examine hosts.

A private host is a libvirtd of its own in its own namespaces; it starts by itself when a stack needs it.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from stackengine.cli import options
from stackengine.cli.exit_codes import FAILED, OK
from stackengine.cli.terminal import Terminal

if TYPE_CHECKING:
    from stackengine.service import Session


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    verbs.add_parser("ls", help="list hosts and the stacks on them")
    start = verbs.add_parser("start", help="start a private host")
    start.add_argument("name", metavar="NAME", help="NAME or private://NAME")
    start.add_argument("--outbound", action="store_true", help="let guests reach the outside by NAT")
    stop = verbs.add_parser("stop", help="stop a private host; disks and definitions stay")
    stop.add_argument("name", metavar="NAME")
    remove = verbs.add_parser("rm", help="remove a private host with all that is on it")
    remove.add_argument("name", metavar="NAME")
    remove.add_argument("--yes", "-y", action="store_true", help="do not ask")
    doctor = verbs.add_parser("doctor", help="say what is wrong with a host and how to mend it; tries the accelerator by running a guest")
    doctor.add_argument("uri", metavar="URI", nargs="?", help="default: --host, else private://default")
    for verb in verbs.choices.values():
        options.add_common(verb, again=True)


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Do what the verb says."""
    from stackengine import service

    with service.open(options.settings(args)) as session:
        match args.verb:
            case "ls":
                return _ls(session, terminal)
            case "doctor":
                return _doctor(session, args, terminal)
            case _:
                return _change(session, args, terminal)


def _ls(session: Session, terminal: Terminal) -> int:
    from stackengine.cli.render import hosts as view
    from stackengine.service import hosts

    found = list(hosts.ls(session))
    if terminal.json:
        terminal.document("hosts", {"hosts": [view.host_data(h) for h in found]})
    elif found:
        terminal.data(view.listing(found, terminal.style))
    else:
        terminal.say("no hosts yet; private://default starts by itself when a stack needs it")
    return OK


def _change(session: Session, args: argparse.Namespace, terminal: Terminal) -> int:
    """Start, stop or remove."""
    from stackengine.service import hosts

    name = args.name.removeprefix("private://")
    match args.verb:
        case "start":
            hosts.start(session, name, outbound=args.outbound)
            done = "runs" + (", with NAT to the outside" if args.outbound else "")
        case "stop":
            hosts.stop(session, name)
            done = "is stopped; its disks and definitions are kept"
        case _:
            if not args.yes and not terminal.ask(f"Remove private://{name} with all that is on it?"):
                terminal.say("nothing was done")
                return FAILED
            hosts.rm(session, name)
            done = "is removed"
    if terminal.json:
        terminal.document("host", {"name": name, "uri": f"private://{name}", "done": args.verb})
    else:
        terminal.say(f"private://{name} {done}")
    return OK


def _doctor(session: Session, args: argparse.Namespace, terminal: Terminal) -> int:
    """Print each finding as it comes; 1 where there is a problem."""
    from stackengine.cli.render import hosts as view
    from stackengine.service import hosts

    uri = args.uri or options.settings(args).host or "private://default"
    found = []
    for finding in hosts.doctor(session, uri):
        found.append(finding)
        if not terminal.json:
            terminal.data(view.finding(finding, terminal.style))
    healthy = all(f.status != "problem" for f in found)
    if terminal.json:
        terminal.document("findings", {"uri": uri, "healthy": healthy, "findings": [view.finding_data(f) for f in found]})
    else:
        terminal.say(view.verdict(uri, found))
    return OK if healthy else FAILED
