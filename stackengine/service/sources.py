"""Reads templates and what they name; never outside the template's folder, unless the machine's owner allows it."""

from __future__ import annotations

import itertools
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stackengine import formats
from stackengine.evaluate import Environment
from stackengine.formats import environment
from stackengine.formats.detect import is_archive
from stackengine.formats.environment.types import kinds_of
from stackengine.model.allowed import NOTHING, Allowed
from stackengine.model.diagnostics import Diagnostics, InvalidTemplateError
from stackengine.model.template import Template
from stackengine.model.values import Sensitive
from stackengine.service.macros import AllowedMacros
from stackengine.service.remote_files import RemoteReader
from stackengine.service.types import ServiceError


class FolderReader:
    """``formats.Reader`` for the files beside a template."""

    def __init__(self, folder: Path, allowed: Allowed = NOTHING) -> None:
        self._given, self._folder, self._allowed = folder, folder.resolve(), allowed

    def names(self) -> list[str]:
        """YAML files in the folder and up to six levels below, named as the template in it is: 500 of them at most, in 1,000 folders."""
        found: list[str] = []
        for folder, below, files in itertools.islice(os.walk(self._folder), 1000):
            inside = Path(folder).relative_to(self._folder)
            below[:] = sorted(b for b in below if not b.startswith(".")) if len(inside.parts) < 6 else []
            found += [str(self._given / inside / f) for f in files if f.endswith((".yaml", ".yml"))]
        return sorted(found, key=lambda name: (name.count("/"), name))[:500]

    def read(self, name: str, relative_to: str) -> str:
        """The text of a file in the folder, named as seen from the file ``relative_to`` (empty: as :meth:`names` has it); ValueError for one outside."""
        path = (Path(relative_to).parent / name.removeprefix("file://")).resolve()
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
    return _decoded(_read_bytes(path), path)


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ServiceError(f"{path}: {error.strerror}", hint="name a file that this user may read", exit_code=2) from None


def _decoded(data: bytes, path: Path) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise ServiceError(f"{path} is not UTF-8 text", hint="save it as UTF-8", exit_code=3) from None


def read_template(
    path: Path, diagnostics: Diagnostics, allowed: Allowed = NOTHING, *, given: Mapping[str, Any] | None = None, lenient: bool = False,
    types: formats.TypeMapping | None = None,
) -> Template:  # fmt: skip
    """The template in a file, or in a TOSCA archive; InvalidTemplateError when it has errors (``lenient``: only when there is no template in it at all).

    ``given``: values of parameters, with which CloudFormation's loops are written out.
    """
    data, name = _read_bytes(path), str(path)
    reader: formats.Reader = FolderReader(path.parent, allowed)
    if is_archive(data):
        from stackengine.formats.tosca import csar

        opened = csar.open_archive(data, name, diagnostics)
        if opened is None:
            raise InvalidTemplateError(diagnostics)
        reader, name = opened
        text = reader.read(name, "")
    else:
        text = _decoded(data, path)
    reader = RemoteReader(reader, allowed)
    macros = AllowedMacros(allowed)
    template = formats.load(text, name, reader, diagnostics, types, given=given, macros=macros, lenient=lenient)
    if template is None:
        raise InvalidTemplateError(diagnostics)
    return template


def read_all(
    path: Path, environments: tuple[Path, ...], diagnostics: Diagnostics, allowed: Allowed = NOTHING, *, given: Mapping[str, Any] | None = None,
    lenient: bool = False,
) -> tuple[Template, Environment]:  # fmt: skip
    """The template, with what environment files make of its types, and the values that they give."""
    files = environment.read([(str(p), read_text(p)) for p in environments], diagnostics)
    template = read_template(path, diagnostics, allowed, given=given, lenient=lenient, types=files.types)
    parameters, defaults = environment.merged(files.layers, kinds_of(template), diagnostics)
    marks = {name: mark for layer in files.layers for name, mark in layer.marks.items()}
    secret = {n: Sensitive(v) for n, v in parameters.items() if n in files.secret}
    return template, Environment({**parameters, **secret}, defaults, marks=marks, restricted=files.types.restricted)
