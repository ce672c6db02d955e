"""The project file on the command line: what nobody said there comes from it, and ``show --config`` says where each value came from.

The later of these wins: default, project file, its context, ``STACKENGINE_*`` variables, the command line.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stackengine.cli.errors import UsageError
from stackengine.service import project
from stackengine.service.owner import allowed


@dataclass(frozen=True, slots=True)
class Setting:
    """One value that counts, and where it was said."""

    key: str
    value: Any
    source: str


@dataclass(frozen=True, slots=True)
class _Field:
    """How a key of the project file is said elsewhere."""

    dest: str
    flag: str
    variable: str = ""
    default: Any = None


_FIELDS = {
    "template": _Field("template", "TEMPLATE"),
    "name": _Field("name", "--name"),
    "host": _Field("host", "--host", "STACKENGINE_HOST", "private://default"),
    "isolation": _Field("isolation", "--isolation", default="host"),
    "ttl": _Field("ttl", "--ttl", default=8 * 3600.0),
    "idle_ttl": _Field("idle_ttl", "--idle-ttl"),
    "while_busy": _Field("while_busy", "--while-busy", default="overtake"),
    "remote": _Field("remote", "--remote", "STACKENGINE_REMOTE"),
    "repository": _Field("repo", "--repo"),
    "collect": _Field("collect", "--collect"),
    "remap_cidr": _Field("remap_cidr", "--remap-cidr", default=False),
    "provisioned": _Field("provisioned", "--provisioned", default=False),
    "closed_pull_request": _Field("closed_pull_request", "", default="keep"),
}
_LISTS = {"param_files": "param_file", "environment_files": "environment"}


def apply(args: argparse.Namespace, environ: Mapping[str, str] = os.environ) -> None:
    """Fill in what the command line left open; ``args.config`` lists every value with its source."""
    found = load(args, environ)
    config = [Setting("project", str(found.file), "found from here upwards" if not args.project else "--project")] if found is not None else []
    if found is not None and found.context:
        source = "--context" if args.context else "STACKENGINE_CONTEXT" if environ.get("STACKENGINE_CONTEXT") else f"{found.file.name}: context"
        config.append(Setting("context", found.context, source))
    for key, entry in _FIELDS.items():
        setting = _setting(key, entry, args, environ, found)
        if setting is None:
            continue
        config.append(setting)
        if found is not None and key in found.values and setting.value is found.values[key].value:
            setattr(args, entry.dest, str(setting.value) if isinstance(setting.value, Path) else setting.value)
    for key, dest in _LISTS.items():
        said = found.values.get(key) if found is not None else None
        if said is not None:
            config.append(Setting(key, [str(p) for p in said.value], _place(said)))
            if hasattr(args, dest):
                setattr(args, dest, [*(str(p) for p in said.value), *getattr(args, dest)])
    args.project_parameters = _parameters(args, environ, found, config)
    args.config = config


def load(args: argparse.Namespace, environ: Mapping[str, str] = os.environ) -> project.Project | None:
    """The project file that counts, if there is one."""
    if args.project and not Path(args.project).is_file():
        raise UsageError(f"--project {args.project}: no such file", hint="a path is taken from the folder where you are")
    file = Path(args.project).absolute() if args.project else project.find(Path.cwd())
    context = args.context or environ.get("STACKENGINE_CONTEXT", "")
    if file is None:
        if args.context:
            raise UsageError(f"--context {args.context}: there is no {project.FILE} here or above", hint="say --project FILE")
        return None
    return project.read(file, context, allowed())


def template_of(args: argparse.Namespace) -> str:
    """The template that was named, or that the project names; UsageError when there is none."""
    if not args.template:
        file = next((s.value for s in getattr(args, "config", ()) if s.key == "project"), "")
        hint = f"say it here, or 'template: FILE' in {file}" if file else f"say it here, or in a {project.FILE}"
        raise UsageError("which template?", hint=hint)
    return str(args.template)


def _place(said: project.Said) -> str:
    return f"{Path(said.mark.file).name}:{said.mark.line}:{said.mark.col}"


def _setting(key: str, entry: _Field, args: argparse.Namespace, environ: Mapping[str, str], found: project.Project | None) -> Setting | None:
    """What counts for one key; None where nobody says anything."""
    here = getattr(args, entry.dest, None)
    if here:
        return Setting(key, here, entry.flag)
    if entry.variable and environ.get(entry.variable):
        return Setting(key, environ[entry.variable], entry.variable)
    said = found.values.get(key) if found is not None else None
    if said is not None and not _keeps_apart(key, args, found):
        return Setting(key, said.value, _place(said))
    return Setting(key, entry.default, "default") if entry.default is not None else None


def _keeps_apart(key: str, args: argparse.Namespace, found: project.Project | None) -> bool:
    """Whether the project's value does not count: a branch environment has a name of its own, and where it is alone a host of its own.

    The reaper looks at every repository, unless somebody says one.
    """
    if key == "repository" and getattr(args, "verb", "") == "reap":
        return True
    if args.command != "env" or found is None or key not in ("host", "name"):
        return False
    if key == "name":
        return True
    return bool((getattr(args, "isolation", None) or found.get("isolation", "host")) == "host")


def _parameters(
    args: argparse.Namespace, environ: Mapping[str, str], found: project.Project | None, config: list[Setting]
) -> dict[str, Any]:
    """The project's parameters where no variable says another value; files and ``--param`` win over both later."""
    from stackengine.cli.parameters import PREFIX

    said = found.values.get("parameters") if found is not None else None
    values: dict[str, Any] = {}
    for key, value in said.value.items() if said is not None else ():
        variable = PREFIX + key
        values[key] = environ.get(variable, value)
        flag = any(p.partition("=")[0] == key for p in getattr(args, "param", ()))
        shown = next(p.partition("=")[2] for p in args.param if p.partition("=")[0] == key) if flag else values[key]
        source = "--param" if flag else variable if variable in environ else _place(said) if said is not None else ""
        config.append(Setting(f"parameters.{key}", shown, source))
    return values
