"""A stack's outputs as other programs want them: dotenv, GitHub's step outputs, lines of /etc/hosts, an ssh configuration, an Ansible inventory."""

from __future__ import annotations

import json
import re
import secrets
import shlex
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from stackengine.cli.render.outputs import unwrap
from stackengine.model.values import Value, reveal
from stackengine.service.ssh import Login


def variable(name: str) -> str:
    """``STACK_OUTPUT_URL`` for the output ``url``, as ``env run`` has it."""
    return f"STACK_OUTPUT_{re.sub(r'[^A-Za-z0-9]+', '_', name).upper()}"


def dotenv(stack: str, outputs: Mapping[str, Any], *, secret_too: bool = False) -> str:
    """``KEY=value`` lines. GitLab takes values as they stand and knows no second line, so what is not one line of text is JSON."""
    lines = [f"STACKENGINE_ENVIRONMENT={stack}"]
    for name, value in _shown(outputs, secret_too):
        text = _text(value)
        lines.append(f"{variable(name)}={text if text.isprintable() else json.dumps(text)}")
    return "\n".join(lines)


def github(stack: str, outputs: Mapping[str, Any], *, secret_too: bool = False) -> str:
    """Lines for ``$GITHUB_OUTPUT``; several lines stand between delimiters that nobody can guess."""
    lines = [f"environment={stack}"]
    for name, value in _shown(outputs, secret_too):
        key, text = re.sub(r"[^A-Za-z0-9_-]+", "_", name), _text(value)
        if text.isprintable():
            lines.append(f"{key}={text}")
        else:
            end = f"end-{secrets.token_hex(8)}"
            lines += [f"{key}<<{end}", text, end]
    return "\n".join(lines)


def hosts(stack: str, logins: Sequence[Login]) -> str:
    """Addresses of the servers and their names: ``ADDRESS NAME.STACK HOSTNAME``. They are reached from inside the stack's networks."""
    return "\n".join(f"{s.address}\t{s.hostname}.{stack}\t{s.hostname}" for s in logins if s.address)


def ssh_config(stack: str, logins: Sequence[Login], command: Sequence[str]) -> str:
    """A ``Host`` block for each server: ``ssh -F FILE web.STACK``. ``command`` is how ``stack-run`` is called, up to the command's name."""
    blocks = []
    for s in logins:
        proxy = shlex.join([*command, "forward", "--stdio", stack, s.path, "22"]).replace("%", "%%")
        lines = [f"Host {s.hostname}.{stack}", f"  ProxyCommand {proxy}", f"  HostKeyAlias {s.alias}", f"  UserKnownHostsFile {_quoted(s.known_hosts)}"]
        lines += ["  StrictHostKeyChecking yes", f"  User {s.user}"]
        if s.identity:
            lines += [f"  IdentityFile {_quoted(s.identity)}", "  IdentitiesOnly yes"]
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def ansible(stack: str, logins: Sequence[Login], command: Sequence[str]) -> str:
    """An Ansible inventory in YAML (JSON is YAML): one group, every server reached by a tunnel of ours. ``command`` as in :func:`ssh_config`."""
    known = {}
    for s in logins:
        proxy = shlex.join([*command, "forward", "--stdio", stack, s.path, "22"]).replace("%", "%%")
        options = {"ProxyCommand": proxy, "HostKeyAlias": s.alias, "UserKnownHostsFile": s.known_hosts, "StrictHostKeyChecking": "yes"}
        words = shlex.join(w for key, value in options.items() for w in ("-o", f"{key}={value}"))
        login = {"ansible_host": s.address, "ansible_user": s.user, "ansible_ssh_common_args": words}
        known[s.hostname] = {**login, **({"ansible_ssh_private_key_file": s.identity} if s.identity else {})}
    group = re.sub(r"[^A-Za-z0-9_]+", "_", stack)
    return json.dumps({"all": {"children": {group: {"hosts": known}}}}, indent=2)


def _shown(outputs: Mapping[str, Any], secret_too: bool) -> list[tuple[str, Value]]:
    """Outputs that may be printed: a sensitive one only when it was asked for, never in part."""
    found = [(name, *unwrap(output)) for name, output in outputs.items()]
    return [(name, reveal(value)) for name, value, _, sensitive in found if secret_too or not sensitive]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _quoted(path: str) -> str:
    return f'"{path}"' if " " in path else path


OF_OUTPUTS: dict[str, Callable[..., str]] = {"dotenv": dotenv, "github": github}
"""Forms that are made of outputs; the others are made of servers."""
