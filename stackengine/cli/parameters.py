"""Parameters from files, the environment and the command line: the later wins."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from stackengine.cli.errors import UsageError

PREFIX = "STACKENGINE_PARAM_"


def from_environment(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """``STACKENGINE_PARAM_k=v`` as ``{k: v}``."""
    return {k.removeprefix(PREFIX): v for k, v in environ.items() if k.startswith(PREFIX) and len(k) > len(PREFIX)}


def of(args: argparse.Namespace) -> dict[str, Any]:
    """All of a command: the project's, then ``--param-file``, then ``--param``."""
    return {**getattr(args, "project_parameters", {}), **given(args.param_file, args.param)}


def given(files: Sequence[str], pairs: Sequence[str]) -> dict[str, Any]:
    """``--param-file`` (values as they are) and then ``--param k=v`` (strings, converted by the declared type later)."""
    found: dict[str, Any] = {}
    for name in files:
        found |= from_file(name)
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not key or not equals:
            raise UsageError(f"--param {pair}: no value", hint="write --param NAME=VALUE")
        found[key] = value
    return found


def from_file(name: str) -> dict[str, Any]:
    """A mapping of parameters in YAML or JSON, or CloudFormation's list of ``ParameterKey`` and ``ParameterValue``."""
    import yaml

    class Loader(yaml.SafeLoader):
        """YAML as JSON: dates stay strings, as every parameter type wants them."""

    Loader.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in rules if tag != "tag:yaml.org,2002:timestamp"]
        for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    try:
        content = yaml.load(Path(name).read_text(encoding="utf-8"), Loader)
    except OSError as error:
        raise UsageError(f"--param-file {name}: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageError(f"--param-file {name}: {error}") from None
    if content is None:
        return {}
    if isinstance(content, list) and all(isinstance(e, dict) and "ParameterKey" in e for e in content):
        return {str(e["ParameterKey"]): e.get("ParameterValue") for e in content if not e.get("UsePreviousValue")}
    if not isinstance(content, dict):
        raise UsageError(f"--param-file {name}: not a mapping of parameters", hint="write NAME: VALUE, one per line")
    return {str(k): v for k, v in content.items()}
