"""List, start, stop, remove and examine hosts, and say on which of them new stacks are placed.

With hosts in the inventory (`hosts add`; `hosts.yaml` in the state folder), new servers go to those that its scheduler chooses, if no --host is
said; the plan says which, and why not the others. A stack goes whole to one host where it can; networks that span several need --underlay.
`cordon` keeps new servers away, `drain` moves those that are there away, too. A private host is a libvirtd of its own in its own namespaces; it
starts by itself when a stack needs it.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from stackengine.cli import autostarting, options
from stackengine.cli.errors import UsageError
from stackengine.cli.exit_codes import FAILED, OK
from stackengine.cli.terminal import Terminal

if TYPE_CHECKING:
    from stackengine.service import Session


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    verbs.add_parser("ls", help="list hosts and the stacks on them")
    start = verbs.add_parser("start", help="start a private host")
    start.add_argument("name", metavar="NAME", nargs="?", help="NAME or private://NAME")
    start.add_argument("--ready", action="store_true", help="in place of NAME: have one ready that the next new private host takes over")
    start.add_argument("--outbound", action="store_true", help="let guests reach the outside by NAT")
    start.add_argument("--switch", action="store_true", help="give it a virtual switch (Open vSwitch), for networks with VLAN tags")
    stop = verbs.add_parser("stop", help="stop a private host; disks and definitions stay")
    stop.add_argument("name", metavar="NAME", nargs="?")
    stop.add_argument("--ready", action="store_true", help="in place of NAME: end the one that is kept ready")
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
    add.add_argument("--zone", help="its availability zone")
    add.add_argument("--label", metavar="K=V", action="append", default=[], help="a label; repeatable")
    add.add_argument("--vcpus", metavar="N", type=int, help="vCPUs (default: asked of the host)")
    add.add_argument("--memory", metavar="MIB", type=int, help="MiB of memory (default: asked of the host)")
    add.add_argument("--underlay", metavar="ADDRESS", help="the address by which the other hosts reach it: for networks that span hosts, and servers that move")
    add.add_argument("--group", metavar="NAME", action="append", default=[], help="a group of hosts that it belongs to; repeatable")
    add.add_argument("--overcommit", metavar="WHAT=RATIO", action="append", default=[], help="vcpus=4 or memory=1.5: its own ratio; repeatable")
    add.add_argument("--limit", metavar="KIND=N", action="append", default=[], help="at once there: guest-start, image-copy, call or total; repeatable")
    forget = verbs.add_parser("forget", help="take a host out of the inventory; its stacks stay where they are")
    show = verbs.add_parser("show", help="show one host of the inventory: what it has, what is claimed")
    cordon = verbs.add_parser("cordon", help="let no new server go to a host")
    uncordon = verbs.add_parser("uncordon", help="let new servers go to it again")
    drain = verbs.add_parser("drain", help="let no new server go to a host, and move what is there to others")
    for verb in (forget, show, cordon, uncordon, drain):
        verb.add_argument("uri", metavar="URI", help="URI or short name")
    options.add_operation(drain, on_failure=False)
    options.add_allow(drain)


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

    if args.verb != "rm" and (args.name is None) != args.ready:
        raise UsageError(f"hosts {args.verb} needs a NAME, or --ready")
    if args.verb != "rm" and args.ready:
        return _ready(session, args.verb, terminal)
    name = args.name.removeprefix("private://")
    match args.verb:
        case "start":
            hosts.start(session, name, outbound=args.outbound, switch=args.switch)
            done = "runs" + (", with NAT to the outside" if args.outbound else "") + (", with a virtual switch" if args.switch else "")
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


def _ready(session: Session, verb: str, terminal: Terminal) -> int:
    from stackengine.service import hosts

    if verb == "start":
        hosts.keep_ready(session)
        said = "one host is ready: the next new private host takes it over"
    else:
        said = "it is ended" if hosts.end_ready(session) else "none was kept ready"
    if terminal.json:
        terminal.document("host", {"name": "", "uri": "", "done": verb})
    else:
        terminal.say(said)
    return OK


def _inventory(session: Session, args: argparse.Namespace, terminal: Terminal) -> int:
    """What the verb says of one host of the inventory."""
    from stackengine.cli.render import hosts as view
    from stackengine.service import inventory

    match args.verb:
        case "add":
            inventory.add(session, args.uri, **_given(args))
        case "forget":
            inventory.remove(session, args.uri)
            terminal.say(f"{args.uri} is not in the inventory any more")
            return OK
        case "cordon":
            inventory.turn(session, args.uri, "cordoned")
        case "uncordon":
            _uncordon(session, args.uri, terminal)
        case "drain":
            return _drain(session, args, terminal)
    known = inventory.read(session.folder)
    uri = known.find(args.uri).uri
    found = next(f for f in inventory.facts(session, known) if f.uri == uri)
    if terminal.json:
        terminal.document("host", {"name": uri, "uri": uri, "done": args.verb, "capacity": view.facts_data(found, known.ratios)})
    else:
        terminal.data(view.facts(found, known.ratios))
    return OK


def _given(args: argparse.Namespace) -> dict[str, Any]:
    """What `add` says of a host; what is left out stays as it is known, or is asked of the host."""
    found = {"vcpus": args.vcpus, "memory": args.memory, "zone": args.zone, "underlay": args.underlay}
    found |= {"labels": tuple(args.label) or None, "groups": tuple(args.group) or None}
    return {**found, "overcommit": _pairs(args.overcommit, float, "--overcommit"), "limits": _pairs(args.limit, int, "--limit")}


def _pairs(words: list[str], kind: Callable[[str], Any], option: str) -> dict[str, Any] | None:
    from stackengine.service.types import ServiceError

    try:
        return {k: kind(v) for k, _, v in (w.partition("=") for w in words)} or None
    except ValueError as error:
        raise ServiceError(f"{option}: {error}", hint=f"{option} NAME=NUMBER", exit_code=2) from error


def _uncordon(session: Session, named: str, terminal: Terminal) -> None:
    """What was evacuated from a host that comes back must not run there a second time."""
    from stackengine.service import fencing, inventory

    entry = inventory.read(session.folder).find(named)
    if entry.state == "dead":
        gone = fencing.take_back(session, entry.uri)
        terminal.say(f"taken away, as it was made again elsewhere: {', '.join(gone)}" if gone else "nothing of ours was left on it")
    inventory.turn(session, entry.uri, "ready")


def _drain(session: Session, args: argparse.Namespace, terminal: Terminal) -> int:
    from stackengine.cli.leaving import drain
    from stackengine.service import inventory

    uri = inventory.read(session.folder).find(args.uri).uri
    return drain(session, uri, inventory.turn(session, uri, "draining"), args, terminal)


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
