"""Reads templates and what they name; never outside the template's folder, unless the machine's owner allows it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stackengine import formats
from stackengine.evaluate import Environment
from stackengine.formats.build import plain
from stackengine.formats.tree import compose
from stackengine.model.allowed import NOTHING, Allowed
from stackengine.model.diagnostics import Diagnostics, InvalidTemplateError
from stackengine.model.template import Template
from stackengine.service.macros import AllowedMacros
from stackengine.service.types import ServiceError


class FolderReader:
    """``formats.Reader`` for the files beside a template."""

    def __init__(self, folder: Path, allowed: Allowed = NOTHING) -> None:
        self._folder, self._allowed = folder.resolve(), allowed

    def read(self, name: str, relative_to: str) -> str:
        """The text of a file in the folder, named as seen from the file ``relative_to``; ValueError for one outside."""
        if name.startswith(("http://", "https://")):
            raise ValueError(f"{name} is not on this machine")
        base = Path(relative_to).parent if relative_to else self._folder
        path = (base / name.removeprefix("file://")).resolve()
        if not path.is_relative_to(self._folder) and not self._allowed.may_read(str(path)):
            raise ValueError(f"{name} is outside the template's folder")
        try:
            return path.read_text("utf-8")
        except UnicodeDecodeError:
            raise ValueError(f"{name} is not UTF-8 text") from None
        except OSError as error:
            raise ValueError(f"{name}: {error.strerror}") from None


def read_text(path: Path) -> str:
    """The text of a file that the user named."""
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError:
        raise ServiceError(f"{path} is not UTF-8 text", exit_code=3) from None
    except OSError as error:
        raise ServiceError(f"{path}: {error.strerror}", exit_code=2) from None


def read_template(
    path: Path, diagnostics: Diagnostics, allowed: Allowed = NOTHING, *, given: Mapping[str, Any] | None = None, lenient: bool = False
) -> Template:  # fmt: skip
    """The template in a file; InvalidTemplateError when it has errors (``lenient``: only when there is no template in it at all).

    ``given``: values of parameters, with which CloudFormation's loops are written out.
    """
    reader, macros = FolderReader(path.parent, allowed), AllowedMacros(allowed)
    template = formats.load(read_text(path), str(path), reader, diagnostics, given=given, macros=macros, lenient=lenient)
    if template is None:
        raise InvalidTemplateError(diagnostics)
    return template


def read_environment(paths: tuple[Path, ...], diagnostics: Diagnostics) -> Environment:
    """Heat environment files, merged in order; their resource_registry comes with nested templates."""
    parameters: dict[str, Any] = {}
    defaults: dict[str, Any] = {}
    for path in paths:
        root = compose(read_text(path), str(path), diagnostics)
        if root is None:
            continue
        if root.kind != "map":
            diagnostics.error("E101", "an environment file is a mapping", root.mark)
            continue
        for key, node in root.entries:
            if key.text == "parameters" and node.kind == "map":
                parameters.update(plain(node, "yaml11"))
            elif key.text == "parameter_defaults" and node.kind == "map":
                defaults.update(plain(node, "yaml11"))
            elif key.text in ("resource_registry", "encrypted_parameters", "event_sinks", "parameter_merge_strategies"):
                diagnostics.error("E102", f"{key.text} in an environment file is not supported yet", key.mark)
            else:
                diagnostics.error("E103", f"an environment file has no key {key.text}", key.mark, "parameters, parameter_defaults")
    return Environment(parameters, defaults)
