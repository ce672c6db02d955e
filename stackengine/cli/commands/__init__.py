"""One file per command: ``configure(parser)`` adds its arguments, ``run(args, terminal)`` gives the exit code."""

COMMANDS: dict[str, str] = {
    "up": "create a stack from a template, or update it: shows the plan, asks, carries it out",
    "plan": "show what `up` would do, and do nothing",
    "down": "delete a stack and everything that it made",
    "rollback": "take a stack back to an earlier revision",
    "resume": "finish an operation whose process is gone",
    "cancel": "stop a running operation by a policy",
    "ls": "list stacks",
    "show": "show one stack: resources, outputs, revisions",
    "events": "show what happened to a stack, or follow it",
    "outputs": "show a stack's outputs, or one as a bare value",
    "graph": "draw the dependencies of a stack or template",
    "validate": "check templates without touching anything",
    "evaluate": "show what a template says for given parameters, in its own language",
    "fmt": "bring templates into canonical order and indentation",
    "new": "start from a template of the gallery",
    "types": "list resource types, or describe one",
    "hosts": "list, start, stop, remove and examine hosts",
    "console": "open the console of a server",
    "ssh": "log in to a server, or run a command there",
    "logs": "show the console log of a server",
    "forward": "reach a port of a server from this machine",
    "env": "environments for branches: up, ls, show, down, pin, extend, reap, run",
    "images": "list guest images, and build or fetch one beforehand",
    "completion": "print a completion script for your shell",
}
"""Commands in the order of the help; a command ``x`` lives in ``commands/x.py``, imported only when it is named."""
