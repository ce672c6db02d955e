"""What a deployment runs for an action: script, environment, files. Inputs and tools mean what they mean to Heat's agents in guests."""

from __future__ import annotations

import base64
import hashlib
import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stackengine import sdk

STATE = "/var/lib/stackengine/deployments"
_ANSIBLE = {"tags": "--tags", "skip_tags": "--skip-tags", "modulepath": "--module-path"}
"""Options of a config for ansible, and of its command."""
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, slots=True)
class File:
    """A file to be put into the guest; ``path`` is relative to the run's folder, or absolute."""

    path: str
    content: bytes
    mode: str = "644"


@dataclass(frozen=True, slots=True)
class Run:
    """One run: everything that it is made of."""

    id: str
    """The deployment's own folder name."""
    action: str
    script: str
    interpreter: tuple[str, ...]
    environment: Mapping[str, str]
    files: tuple[File, ...]
    outputs: tuple[str, ...] | None
    """Declared outputs; None: whatever the script writes."""
    error_outputs: tuple[str, ...] = ()

    @property
    def folder(self) -> str:
        """The run's folder in the guest: named by what runs, so that the same run is found again."""
        parts = [self.action, self.script, self.interpreter, sorted(self.environment.items()), [(f.path, f.mode, f.content.hex()) for f in self.files]]
        return f"{STATE}/{self.id}/{hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]}"


def run_of(ctx: sdk.Context, want: sdk.Properties, action: str, server: str) -> Run | None:
    """What runs for ``action``; None where the deployment has nothing for it."""
    files = tuple(_file(f) for f in want.get("files") or ())
    derived = {
        "deploy_action": action, "deploy_server_id": server, "deploy_stack_id": ctx.stack_id, "deploy_stack_name": ctx.stack, "deploy_resource_name": ctx.path,
        "deploy_name": want.get("name") or ctx.path,
    }  # fmt: skip
    config: Mapping[str, Any] = {}
    if want.get("config") is not None:
        referred = ctx.referred(want["config"])
        if referred is None:
            raise sdk.FailedError(f"the config {want['config']} is not part of this stack", hint=sdk.NAME_IT)
        config = referred.properties
    tool, text = _chosen(config, want, action) if config else ("script", want.get("script") if action in want["actions"] else None)
    if text is None:
        return None
    inputs = {**derived, **_inputs(config, want)}
    declared = [o for o in config.get("outputs") or () if isinstance(o, dict)]
    outputs = tuple(o["name"] for o in declared) if config else tuple(want["outputs"]) if want.get("outputs") is not None else None
    errors = tuple(o["name"] for o in declared if o.get("error_output"))
    script, interpreter, more = _tooled(tool, text, inputs, config, want)
    environment = {"PATH": PATH, "HOME": "/root", "LANG": "C.UTF-8", **{k: _text(v) for k, v in inputs.items()}}
    interpreter = interpreter or tuple(want.get("interpreter") or ())
    return Run(str(ctx.identity["physical_id"]), action, script, interpreter, environment, (*files, *more), outputs, errors)


def _chosen(config: Mapping[str, Any], want: sdk.Properties, action: str) -> tuple[str, Any]:
    """(tool, config) for an action; a component has its own actions (Heat's SoftwareComponent)."""
    if config.get("configs"):
        for entry in config["configs"]:
            if action in entry["actions"]:
                return entry["tool"], entry["config"]
        return "", None
    return str(config.get("group", "script")), config.get("config", "") if action in want["actions"] else None


def _inputs(config: Mapping[str, Any], want: sdk.Properties) -> dict[str, Any]:
    """Values of inputs: those given, and the config's defaults for the others."""
    given = dict(want.get("inputs") or {})
    declared = {i["name"]: i.get("default") for i in config.get("inputs") or ()}
    missing = [n for n in declared if n not in given]
    if missing and want.get("input_values_validate") == "STRICT":
        raise sdk.FailedError(f"these inputs have no value: {', '.join(missing)}", hint="give them in input_values, or a default in the config")
    return {**declared, **given}


_NO_ANSIBLE = """\
command -v ansible-playbook > /dev/null || {
  echo 'this guest has no ansible-playbook: take an image that has it, or install it in an operation before' >&2
  exit 127
}
"""


def _tooled(
    tool: str, text: Any, inputs: Mapping[str, Any], config: Mapping[str, Any], want: sdk.Properties
) -> tuple[str, tuple[str, ...], tuple[File, ...]]:
    """(script, interpreter, files) by which a tool takes its config."""
    if isinstance(text, dict):
        text = _filled(text, inputs, str(want.get("input_key") or "get_input"))
    match tool:
        case "script" if isinstance(text, str):
            return text, (), ()
        case "ansible" if isinstance(text, str):
            options = config.get("options") or {}
            extra = [f"{option}={shlex.quote(str(options[k]))}" for k, option in _ANSIBLE.items() if options.get(k)]
            command = " ".join(["ansible-playbook -i localhost, -c local --extra-vars @variables.json", *extra, "playbook.yaml"])
            variables = json.dumps({k: v for k, v in inputs.items() if v is not None}).encode()
            files = (File("playbook.yaml", text.encode()), File("variables.json", variables, "600"))
            return f"#!/bin/sh\n{_NO_ANSIBLE}exec {command}\n", (), files
        case "json-file":
            content = json.loads(text) if isinstance(text, str) else text
            if isinstance(content, dict):
                return "#!/bin/sh\nexit 0\n", (), tuple(File(p, json.dumps(v, indent=2).encode(), "600") for p, v in content.items())
    raise sdk.FailedError(f"no tool '{tool}' runs configs in guests here", hint="script, ansible and json-file do; or run the tool from a script")


def _filled(value: Any, inputs: Mapping[str, Any], key: str) -> Any:
    """``value`` with ``{key: name}`` replaced by the input of that name (Heat's StructuredDeployment)."""
    if isinstance(value, dict):
        if len(value) == 1 and key in value and isinstance(value[key], str):
            return inputs.get(value[key])
        return {k: _filled(v, inputs, key) for k, v in value.items()}
    return [_filled(v, inputs, key) for v in value] if isinstance(value, list) else value


def _file(entry: Mapping[str, Any]) -> File:
    content = base64.b64decode(entry["content"]) if entry.get("encoding") == "base64" else str(entry["content"]).encode()
    return File(entry["path"], content, str(entry.get("mode", "644")))


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)
