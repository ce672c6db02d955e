"""What ``up``, ``plan``, ``graph`` and ``validate`` ask for, from their arguments."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from stackengine.cli import parameters
from stackengine.cli.errors import UsageError
from stackengine.cli.naming import stack_name
from stackengine.cli.project import template_of
from stackengine.model.diagnostics import did_you_mean
from stackengine.service.types import Request


def of(args: argparse.Namespace) -> Request:
    """The request; raises UsageError where a file is not there."""
    template = existing(template_of(args))
    override = getattr(args, "override_policy", None)
    return Request(
        name=stack_name(template, args.name),
        template=template,
        parameters=parameters.of(args),
        ambient=parameters.from_environment(),
        environments=tuple(existing(e) for e in args.environment),
        targets=tuple(getattr(args, "target", ())),
        replace=tuple(getattr(args, "replace", ())),
        accept_inert=getattr(args, "accept_inert", False),
        remap=bool(getattr(args, "remap_cidr", False)),
        upgrade_images=getattr(args, "upgrade_images", False),
        policy=_policy(override) if override else None,
    )


def stack_of(args: argparse.Namespace) -> str:
    """The stack that was named, else the project's, which ``up`` without words makes; UsageError where neither is there."""
    if args.stack:
        said = next((s for s in getattr(args, "config", ()) if s.key == "host"), None)
        if said is not None and said.source not in ("--host", "STACKENGINE_HOST"):
            args.host = None  # where another stack is, the project does not say
        return str(args.stack)
    if args.name:
        return str(args.name)
    if args.template:
        return stack_name(Path(args.template))
    raise UsageError("which stack?", hint="say STACK, or 'name: STACK' in stackengine.yaml; stack-run ls lists them")


def _policy(name: str) -> dict[str, Any]:
    from stackengine.service.guard import read_policy

    return read_policy(existing(name))


def path_of(name: str) -> Path:
    """The path of a file; of an archive that is named by its web address, where it was fetched to."""
    if name.lower().startswith(("http://", "https://")):
        from stackengine.service.archives import fetched

        return fetched(name)
    return Path(name)


def near(path: Path) -> str:
    """What the file may be called instead, of those beside it."""
    beside = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
    return did_you_mean(path.name, beside) or "a path is taken from the folder where you are; stack-run new makes a template from the gallery"


def existing(name: str) -> Path:
    """The path of a file that is there."""
    path = path_of(name)
    if not path.exists():
        raise UsageError(f"{name}: no such file", hint=near(path))
    if path.is_dir():
        raise UsageError(f"{name} is a folder", hint="name the template file in it")
    return path
