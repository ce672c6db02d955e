"""Environments for branches: one for each, alone, at its own address, gone with its branch.

    stack-run env up stack.yaml           the environment of the branch that is checked out, or that the CI's variables name
    stack-run env run stack.yaml -- CMD   an environment for one command; the exit code is CMD's, 125 is our own failure
    stack-run env reap                    take down what expired, what a dead job left, and what belongs to no branch any more

Repository, branch and commit come from the CI's variables (GitHub, Gitea, GitLab, Jenkins), else from git, else from flags.
"""

from __future__ import annotations

import argparse

from stackengine.cli import options
from stackengine.cli.terminal import Terminal

_ONE = {
    "show": "show one environment",
    "down": "take an environment down, with its host",
    "pin": "keep an environment whatever happens",
    "unpin": "let an environment live as others do",
    "summary": "print a summary in Markdown, for CI: how it stands, addresses, picture, timeline",
    "extend": "let an environment live longer",
    "park": "save all guests to disk: the host's memory and processors are free, `wake` or `up` goes on",
    "wake": "let a parked environment go on where it stood",
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    up = verbs.add_parser("up", help="create or update the environment of a branch")
    run_ = verbs.add_parser("run", help="an environment for one command", usage="%(prog)s [options] [TEMPLATE] -- CMD ...")
    for verb in (up, run_):
        verb.add_argument("template", metavar="TEMPLATE", nargs="?", help="a HOT, CloudFormation or TOSCA file (default: the project file's)")
        options.add_parameters(verb)
        options.add_project(verb)
        options.add_remap(verb)
        text = "keep the disks of new servers when their first boot is done, and start from such disks where the template says the same"
        verb.add_argument("--provisioned", action="store_true", help=text)
        verb.add_argument("--ttl", metavar="TIME", type=options.seconds, help="how long it lives after its last up: 90m, 8h (default: 8h)")
        verb.add_argument("--idle-ttl", metavar="TIME", type=options.seconds, help="park it when nothing moved on its network for so long")
        _add_room(verb)
        verb.add_argument("--isolation", choices=("host", "shared"), help="a private host of its own (default), or the named host with others")
        verb.add_argument("--while-busy", choices=("overtake", "queue", "refuse"), help="when another push is being carried out (default: overtake)")
        verb.add_argument("--timeout", metavar="TIME", type=options.seconds, help="for the whole operation: seconds, or 90s, 30m, 2h")
        _add_origin(verb)
    up.add_argument("--pushed", action="store_true", help="the branch is at its repository, so that it can be gone from there (CI systems and git tell it)")
    run_.add_argument("--artifacts", metavar="DIR", help="collect consoles, cloud-init's logs, events and a JUnit file there")
    run_.add_argument("--collect", metavar="[SERVER:]PATH", action="append", help="with --artifacts: also this file of the guests; repeatable")
    run_.add_argument("--keep-on-failure", metavar="TIME", type=options.seconds, help="when CMD fails, keep the environment that long")
    options.add_project(verbs.add_parser("ls", help="list environments"))
    for name, text in _ONE.items():
        verb = verbs.add_parser(name, help=text)
        _add_name(verb)
    _add_views(verbs)
    verbs.choices["down"].add_argument(
        "--closed-pull-request", dest="closed", action="store_true", help="only where the project says closed_pull_request: end"
    )
    verbs.choices["down"].add_argument("--if-there", action="store_true", help="no failure where there is none: the reaper may have been before")
    for name in ("up", "run", "down"):
        verbs.choices[name].add_argument("--yes", "-y", action="store_true", help="as for stacks; an environment is made and ended without being asked")
    _add_room(verbs.choices["wake"])
    verbs.choices["extend"].add_argument("--ttl", metavar="TIME", type=options.seconds, required=True, help="from now: 90m, 8h")
    reap = verbs.add_parser("reap", help="take down what has to go")
    reap.add_argument("--dry-run", action="store_true", help="say what would go and why, and do nothing")
    reap.add_argument("--all", action="store_true", help="take down every environment, pinned ones too")
    reap.add_argument("--repo", default="", help="only environments of this repository")
    options.add_project(reap)
    _add_forks(verbs)
    serve = verbs.add_parser("serve", help="reap again and again until it is told to end")
    serve.add_argument("--every", metavar="TIME", type=options.seconds, default=60.0, help="between two rounds (default: 60s)")
    serve.add_argument("--dns", metavar="ADDRESS:PORT", default="", help="also answer for the DNS zone of published names (pools.zone in owner.yaml)")
    for verb in verbs.choices.values():
        options.add_common(verb, again=True)


def _add_forks(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """What stands on cuts."""
    renew = "what else guests of a fork get anew: hostname, machine-id, ssh-host-keys; repeatable (random numbers and clock always)"
    fork = verbs.add_parser("fork", help="start a branch as a copy of an environment that runs, with memory, disks and open connections")
    fork.add_argument("parent", metavar="PARENT", help="its name, or a branch of --repo or of this checkout")
    freeze = verbs.add_parser("freeze", help="take a cut of an environment and keep it: forks start from it without touching the parent")
    reset = verbs.add_parser("reset", help="bring an environment back to the state of its last `freeze`, disks and memory")
    options.add_project(verbs.add_parser("cuts", help="list cuts"))
    for verb in (freeze, reset):
        _add_name(verb)
    options.add_project(fork)
    _add_origin(fork)
    fork.add_argument("--ttl", metavar="TIME", type=options.seconds, help="how long it lives: 90m, 8h (default: 8h)")
    _add_room(fork)
    for verb in (fork, verbs.choices["up"]):
        verb.add_argument("--frozen", action="store_true", help="start from the last `freeze` of the parent, in place of a fresh cut")
        verb.add_argument("--renew", choices=("hostname", "machine-id", "ssh-host-keys"), action="append", default=[], help=renew)
    for verb in (verbs.choices["up"], verbs.choices["run"]):
        verb.add_argument("--from", dest="from_", metavar="PARENT", default="", help="start a new environment as a fork of this one, and then update it")
    verbs.choices["run"].set_defaults(frozen=False, renew=[])


def _add_views(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """What every stack has, by branch."""
    outputs = verbs.add_parser("outputs", help="show an environment's outputs, or one, or write them for other programs")
    _add_name(outputs)
    outputs.add_argument("output", metavar="OUTPUT", nargs="?", help="one output: prints the bare value; alone, of the environment of this checkout")
    outputs.add_argument("--show-secrets", action="store_true", help="print sensitive values too")
    options.add_format(outputs, ("human", "json", "dotenv", "github", "hosts", "ssh-config", "ansible"))
    ssh = verbs.add_parser("ssh", help="log in to a server, or run a command there", usage="%(prog)s [options] [NAME] SERVER [-- CMD ...]")
    logs = verbs.add_parser("logs", help="show the console log of a server")
    events = verbs.add_parser("events", help="show what happened to an environment, or follow it")
    for verb in (ssh, logs, events):
        _add_name(verb)
    for verb in (ssh, logs):
        verb.add_argument("server", metavar="SERVER", help="the server's path in the template")
    for verb in (logs, events):
        verb.add_argument("--follow", "-f", action="store_true", help="wait for more")
    events.add_argument("--since", metavar="N", type=int, default=0, help="only events after number N")


def _add_name(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", nargs="?", default="", help="its name, or a branch of --repo or of this checkout (default: of this checkout)")
    options.add_project(parser)
    _add_origin(parser)


def _add_room(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--room-timeout", metavar="TIME", type=options.seconds, default=1800.0, help="how long to wait for room (default: 30m)")


def _add_origin(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("origin")
    group.add_argument("--repo", default="", metavar="URL", help="the repository")
    group.add_argument("--branch", default="", help="the branch")
    group.add_argument("--commit", default="", help="the commit")


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Do what the verb says."""
    from stackengine.cli import environments

    return environments.VERBS[args.verb](args, terminal)
