"""List, start, stop, remove and examine hosts, and say on which of them new stacks are placed.

With hosts in the inventory (`hosts add`; `hosts.yaml` in the state folder), a new stack goes to the one that its scheduler chooses, if no --host is
said; the plan says which, and why not the others. A private host is a libvirtd of its own in its own namespaces; it starts by itself when a stack needs it.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from stackengine.cli import autostarting, options
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
    autostart = verbs.add_parser("autostart", help="print or install a systemd unit that brings hosts, servers and published ports back after a reboot")
    autostarting.configure(autostart)
    doctor = verbs.add_parser("doctor", help="say what is wrong with a host and how to mend it; tries the accelerator by running a guest")
    doctor.add_argument("uri", metavar="URI", nargs="?", help="default: --host, else private://default")
    _add_inventory(verbs)
    for verb in verbs.choices.values():
        options.add_common(verb, again=True)


def _add_inventory(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    add = verbs.add_parser("add", help="take a host into the inventory, or change what is known of it")
    add.add_argument("uri", metavar="URI")
    add.add_argument("--zone", default="", help="its availability zone")
    add.add_argument("--label", metavar="K=V", action="append", default=[], help="a label; repeatable")
    add.add_argument("--vcpus", metavar="N", type=int, help="vCPUs (default: asked of the host)")
    add.add_argument("--memory", metavar="MIB", type=int, help="MiB of memory (default: asked of the host)")
    forget = verbs.add_parser("forget", help="take a host out of the inventory; its stacks stay where they are")
    show = verbs.add_parser("show", help="show one host of the inventory: what it has, what is claimed")
    cordon = verbs.add_parser("cordon", help="let no new stack go to a host")
    uncordon = verbs.add_parser("uncordon", help="let new stacks go to it again")
    drain = verbs.add_parser("drain", help="let no new stack go to a host, and say which stacks are to leave it")
    for verb in (forget, show, cordon, uncordon, drain):
        verb.add_argument("uri", metavar="URI")


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Do what the verb says."""
    from stackengine import service

    with service.open(options.settings(args)) as session:
        match args.verb:
            case "ls":
                return _ls(session, terminal)
            case "autostart":
                return autostarting.run(session, args, terminal)
            case "doctor":
                return _doctor(session, args, terminal)
            case "add" | "forget" | "show" | "cordon" | "uncordon" | "drain":
                return _inventory(session, args, terminal)
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


def _inventory(session: Session, args: argparse.Namespace, terminal: Terminal) -> int:
    """What the verb says of one host of the inventory."""
    from stackengine.cli.render import hosts as view
    from stackengine.service import inventory

    done = {"cordon": "cordoned", "uncordon": "ready", "drain": "draining"}
    match args.verb:
        case "add":
            inventory.add(session, args.uri, zone=args.zone, labels=tuple(args.label), vcpus=args.vcpus, memory=args.memory)
        case "forget":
            inventory.remove(session, args.uri)
        case "show":
            pass
        case verb:
            left = inventory.turn(session, args.uri, done[verb])
            if verb == "drain":
                terminal.say(f"still there: {', '.join(left)}" if left else "nothing is left there")
    if args.verb == "forget":
        terminal.say(f"{args.uri} is not in the inventory any more")
        return OK
    known = inventory.read(session.folder)
    known.find(args.uri)
    found = next(f for f in inventory.facts(session, known) if f.uri == args.uri)
    if terminal.json:
        terminal.document("host", {"name": args.uri, "uri": args.uri, "done": args.verb, "capacity": view.facts_data(found, known.ratios)})
    else:
        terminal.data(view.facts(found, known.ratios))
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
