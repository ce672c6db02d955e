"""Finds and describes resource types: one folder is one type.

Three sources, one loader: the built-in folder, folders named by ``--types DIR``, and packages that register a module under the
entry-point group ``stackengine.resource_types``. A later source may not take a name that an earlier one has.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from stackengine.model.template import Language
from stackengine.sdk import Effect, ResourceType

ENTRY_POINT_GROUP = "stackengine.resource_types"


class BrokenTypeError(Exception):
    """A type folder that cannot be used; the message names the file and what is wrong."""


@dataclass(frozen=True, slots=True)
class Conversion:
    """Where one foreign property goes: renamed to ``to``, converted, or ignored with a reason."""

    to: str = ""
    """A native property (dotted path), or ``$name``: something that the type's ``translate`` takes up."""
    decode: str = ""
    """``base64``, ``mib`` (text with unit or number of MiB), ``guest_mib`` (no less than a guest needs), ``gib``, ``bool``,
    ``int``, ``list``, ``undotted`` (a domain without its last dot)."""
    ignore: str = ""
    refuse: str = ""
    null: str = ""
    """Why a null that is written has no effect, where it would mean something in its language."""
    used: str = ""
    """Something else took it up while the template was read; says what."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """A foreign name of a native type."""

    name: str
    native: str
    language: Language
    ref: str = ""
    """The attribute that a bare reference gives; empty: the physical id."""
    properties: dict[str, Conversion] = field(default_factory=dict)
    attributes: dict[str, str] = field(default_factory=dict)
    """Native attribute (dotted path) by foreign name, or ``$Name``: what the foreign property of that name says."""
    defaults: dict[str, Any] = field(default_factory=dict)


class ResourceTypeInfo:
    """What is known of a type: its schema, its foreign names and, loaded when it is first needed, its handler."""

    def __init__(self, folder: Path, schema: dict[str, Any], module: str) -> None:
        self.folder, self.schema, self._module = folder, schema, module
        self.name: str = schema["typeName"]
        self.description: str = schema.get("description", "")
        self.properties: dict[str, dict[str, Any]] = schema.get("properties", {})
        self.attributes: dict[str, dict[str, Any]] = schema.get("attributes", {})
        self.contributions: dict[str, dict[str, Any]] = schema.get("contributions", {})
        self.schema_version: int = schema.get("schemaVersion", 1)
        self.strategy: str = schema.get("replacementStrategy", "create_then_delete")
        self.read_only = _names(schema, "readOnlyProperties")
        self.write_only = _names(schema, "writeOnlyProperties")
        create_only = _names(schema, "createOnlyProperties")
        self.effects: dict[str, Effect] = {n: "replace" if n in create_only else p.get("apply", "live") for n, p in self.properties.items()}
        self.effect_options: dict[str, str] = {n: p["applyBy"] for n, p in self.properties.items() if "applyBy" in p}
        """Property -> the property by which users choose how its change is applied (live, reboot, replace or ignore)."""
        self.contribution_effects: dict[str, Effect] = {n: c.get("apply", "live") for n, c in self.contributions.items()}
        self.create_only = frozenset(n for n, e in self.effects.items() if e == "replace")
        self.sensitive = frozenset(n for n, a in self.attributes.items() if a.get("sensitive"))
        self.opened = tuple(n for n, p in self.properties.items() if p.get("opens") == "source")
        """Properties that name a source which the engine opens: an image's name, path or URL."""
        self.references: dict[str, tuple[str, ...]] = {n: _listed(p["refers"]) for n, p in self.properties.items() if "refers" in p}

    @cached_property
    def handler(self) -> ResourceType:
        """The handler; its module is imported on first use."""
        module = _import_folder(self.folder, self._module)
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, ResourceType) and getattr(value, "name", None) == self.name:
                return value()
        raise BrokenTypeError(f"{self.folder}: no subclass of sdk.ResourceType with name = {self.name!r} in handler.py or __init__.py")

    @cached_property
    def translate(self) -> Any:
        """The module's ``translate(foreign_type, properties)``, or None."""
        return getattr(_import_folder(self.folder, self._module), "translate", None)

    @cached_property
    def _templates(self) -> Any:
        from jinja2 import FileSystemLoader, StrictUndefined
        from jinja2.sandbox import SandboxedEnvironment

        return SandboxedEnvironment(loader=FileSystemLoader(self.folder), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)

    def render(self, template: str, **values: Any) -> str:
        """Render a Jinja2 file of the folder; autoescaped for XML, undefined names are errors."""
        text: str = self._templates.get_template(template).render(**values)
        return text

    def attribute_need(self, name: str) -> str:
        """``planned``, ``configured`` or ``ready``: when this attribute is known."""
        return str(self.attributes.get(name, {}).get("when", "configured"))


def _listed(value: str | list[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _names(schema: dict[str, Any], key: str) -> frozenset[str]:
    return frozenset(p.removeprefix("/properties/").split("/")[0] for p in schema.get(key, ()))


class Registry:
    """All known types and their foreign names."""

    def __init__(self) -> None:
        self.types: dict[str, ResourceTypeInfo] = {}
        self.dialects: dict[str, Dialect] = {}

    def get(self, name: str) -> ResourceTypeInfo | None:
        """The native type of this name."""
        return self.types.get(name)

    def dialect(self, name: str) -> Dialect | None:
        """The foreign name, or None; one that ends with ``*`` stands for all that begin so."""
        found = self.dialects.get(name)
        if found is None and "::" in name:
            found = self.dialects.get(name.partition("::")[0] + "::*")
        return found

    def known_names(self) -> list[str]:
        """Every native and foreign name, sorted."""
        return sorted([*self.types, *self.dialects])

    def add(self, folder: Path, module: str) -> None:
        """Add the type in ``folder``; raises :class:`BrokenTypeError`."""
        schema = _read_schema(folder)
        info = ResourceTypeInfo(folder, schema, module)
        if info.name in self.types:
            raise BrokenTypeError(f"{folder}: the type {info.name} is there already, from {self.types[info.name].folder}")
        self.types[info.name] = info
        for dialect in _read_dialects(folder, info):
            self.dialects.setdefault(dialect.name, dialect)


@cache
def heat_types() -> dict[str, dict[str, Any]]:
    """Every resource type of Heat: its properties and attributes as :mod:`stackengine.evaluate.heat_schema` reads them."""
    found: dict[str, dict[str, Any]] = json.loads((Path(__file__).parent / "known_types" / "heat.json").read_text("utf-8"))
    return found


@cache
def aws_types() -> dict[str, dict[str, Any]]:
    """The properties of the AWS types that have a native one, as :mod:`stackengine.evaluate.aws_schema` reads them."""
    found: dict[str, dict[str, Any]] = json.loads((Path(__file__).parent / "known_types" / "cfn.json").read_text("utf-8"))
    return found


def heat_schema(name: str) -> dict[str, Any] | None:
    """A type of Heat that has a schema; None also for one that Heat only remembers, for stacks of old: it takes any properties for it."""
    found = heat_types().get(name)
    return None if found is None or (found.get("h") and not found["p"]) else found


@cache
def known_foreign_names() -> frozenset[str]:
    """Every type name of Heat 27, of the CloudFormation registry (autumn 2026) and of the TOSCA profiles, supported or not."""
    return frozenset(n for f in sorted((Path(__file__).parent / "known_types").glob("*.txt")) for n in f.read_text("utf-8").split())


def load(extra: Sequence[Path] = (), *, entry_points: bool = True) -> Registry:
    """Every type that can be found."""
    registry = Registry()
    for folder in _type_folders(builtin_folder()):
        registry.add(folder, f"stackengine_types.{folder.name}")
    for root in extra:
        folders = list(_type_folders(root))
        if not folders:
            raise BrokenTypeError(f"{root}: no resource type here (a type is a folder with schema.json)")
        for folder in folders:
            registry.add(folder, f"stackengine_types_extra.{folder.name}")
    if entry_points:
        for name, folder in _registered():
            registry.add(folder, name)
    return registry


def builtin_folder() -> Path:
    """The built-in types: inside the installed package, else beside it in a checkout."""
    package = Path(__file__).parent
    inside = package / "_resource_types"
    return inside if inside.is_dir() else package.parent / "resource_types"


def _type_folders(root: Path) -> Iterator[Path]:
    if (root / "schema.json").is_file():
        yield root
    elif root.is_dir():
        yield from (p.parent for p in sorted(root.glob("*/schema.json")))


def _registered() -> Iterator[tuple[str, Path]]:
    if not any(ENTRY_POINT_GROUP in text for text in _entry_point_files()):
        return
    from importlib.metadata import entry_points

    for point in entry_points(group=ENTRY_POINT_GROUP):
        spec = importlib.util.find_spec(point.value.split(":")[0])
        if spec is None or spec.origin is None:
            raise BrokenTypeError(f"entry point {point.name}: the module {point.value} is not there")
        for folder in _type_folders(Path(spec.origin).parent):
            suffix = "" if folder == Path(spec.origin).parent else f".{folder.name}"
            yield point.value.split(":")[0] + suffix, folder


def _entry_point_files() -> Iterator[str]:
    """The text of every installed distribution's entry points: looking costs far less than importlib.metadata, and nearly nobody has one."""
    for place in sys.path:
        for file in Path(place or ".").glob("*-info/entry_points.txt"):
            yield file.read_text("utf-8", errors="replace")


def _read_schema(folder: Path) -> dict[str, Any]:
    file = folder / "schema.json"
    try:
        schema = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise BrokenTypeError(f"{file}: {error}") from error
    if not isinstance(schema, dict) or not isinstance(schema.get("typeName"), str):
        raise BrokenTypeError(f"{file}: needs a typeName such as 'SE::Volume'")
    return schema


def _read_dialects(folder: Path, info: ResourceTypeInfo) -> Iterator[Dialect]:
    file = folder / "dialects.yaml"
    if not file.is_file():
        return
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        entries = yaml.load(file.read_text("utf-8"), Loader=loader) or []
    except yaml.YAMLError as error:
        raise BrokenTypeError(f"{file}: {error}") from error
    for entry in entries:
        try:
            yield _dialect(entry, info)
        except (KeyError, TypeError, AttributeError) as error:
            raise BrokenTypeError(f"{file}: {entry!r}: {error}") from error


def _dialect(entry: dict[str, Any], info: ResourceTypeInfo) -> Dialect:
    properties = {k: Conversion(to=v) if isinstance(v, str) else Conversion(**v) for k, v in (entry.get("properties") or {}).items()}
    for conversion in properties.values():
        if conversion.to and not conversion.to.startswith("$") and conversion.to.split(".")[0] not in info.properties:
            raise KeyError(f"{info.name} has no property {conversion.to!r}")
    return Dialect(
        entry["type"], info.name, entry["language"], entry.get("ref", ""), properties, entry.get("attributes") or {}, entry.get("defaults") or {}
    )


def _import_folder(folder: Path, module: str) -> Any:
    """The module that defines the handler: ``handler.py``, or the package itself. Packages import by name, plain folders by path."""
    name = f"{module}.handler" if (folder / "handler.py").is_file() else module
    if name in sys.modules:
        return sys.modules[name]
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not name.startswith(error.name):
            raise BrokenTypeError(f"{folder}: {error}") from error
    file = folder / ("handler.py" if name.endswith(".handler") else "__init__.py")
    _import_parents(name, folder)
    spec = importlib.util.spec_from_file_location(name, file, submodule_search_locations=None if file.name == "handler.py" else [str(folder)])
    if spec is None or spec.loader is None:
        raise BrokenTypeError(f"{file}: cannot be imported")
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[name] = loaded
    try:
        spec.loader.exec_module(loaded)
    except Exception as error:
        del sys.modules[name]
        raise BrokenTypeError(f"{file}: {type(error).__name__}: {error}") from error
    return loaded


def _import_parents(name: str, folder: Path) -> None:
    """Make the packages above a type folder's module, so that relative imports within the folder work."""
    parts = name.split(".")[:-1]
    for depth in range(1, len(parts) + 1):
        parent = ".".join(parts[:depth])
        if parent not in sys.modules:
            spec = importlib.util.spec_from_loader(parent, loader=None, is_package=True)
            if spec is not None:
                spec.submodule_search_locations = [str(folder)] if depth == len(parts) else []
                sys.modules[parent] = importlib.util.module_from_spec(spec)
