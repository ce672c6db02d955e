"""From what is written to native resources: types, properties, defaults, implied resources, edges, every check."""

from __future__ import annotations

from dataclasses import replace

from stackengine.evaluate.coerce import coerced
from stackengine.evaluate.complete import complete
from stackengine.evaluate.implied import EXPLICIT, imply
from stackengine.evaluate.kinds import RECORD, Kinds
from stackengine.evaluate.lower import Lowering
from stackengine.evaluate.marks import key_mark_of, property_marks, written_as
from stackengine.evaluate.references import check_attribute, dependencies_of, report_cycles
from stackengine.evaluate.static_types import check_types
from stackengine.evaluate.translate import Translator
from stackengine.evaluate.validate import Validator, with_defaults
from stackengine.evaluate.written import Written
from stackengine.model.desired import DesiredOutput, DesiredResource
from stackengine.model.diagnostics import Diagnostic, Diagnostics
from stackengine.model.values import SecretRef, Sensitive, Value, has_unknown, unknowns
from stackengine.registry import Registry, ResourceTypeInfo


def hidden(properties: dict[str, Value], info: ResourceTypeInfo) -> dict[str, Value]:
    """With what the schema calls sensitive wrapped, wherever the value came from."""
    secret = [n for n in properties if info.properties.get(n, {}).get("sensitive")]
    plain = {n: properties[n] for n in secret if not isinstance(properties[n], (Sensitive, SecretRef)) and not has_unknown(properties[n])}
    return {**properties, **{n: Sensitive(v) for n, v in plain.items()}}


def _of_signals(written: Written, info: ResourceTypeInfo, native: dict[str, Value]) -> None:
    """What the resource's own signals make it wait for (schema keyword ``fromSignals``), where it does not say itself when it is ready."""
    signals = written.policies.signals
    for name, schema in info.properties.items():
        if signals is not None and schema.get("fromSignals") and name not in native:
            native[name] = {"gate": "signal", **signals}


class Building:
    """Builds the native side of one flattening."""

    def __init__(self, written: dict[str, Written], registry: Registry, kinds: Kinds, diagnostics: Diagnostics) -> None:
        self._written, self._registry, self._kinds, self._diagnostics = written, registry, kinds, diagnostics
        self._lowering = Lowering(written, kinds)
        self._translator, self._validator = Translator(diagnostics), Validator()
        self.types: dict[str, ResourceTypeInfo] = {}
        self._words: dict[str, dict[str, str]] = {}
        """Path -> what of its properties the template writes in other words than the dialect's table knows."""

    def resources(self) -> dict[str, DesiredResource]:
        """Every resource that has a native type, checked and with its edges."""
        resources: dict[str, DesiredResource] = {}
        for written in self._written.values():
            made = self._made(written)
            if made is not None:
                resources[made.path] = made
        for made in [r for r in resources.values() if r.external_id is None]:
            complete(made, self.types[made.path], resources)
            imply(made, resources, self.types, self._registry)
        for path, made in resources.items():
            resources[path] = self._linked(made, resources)
        report_cycles(resources, self._diagnostics)
        return resources

    def _made(self, written: Written) -> DesiredResource | None:
        found = self._kinds.of(written.placed.resource)
        if found is None:
            return None
        (info, dialect), resource = found, written.placed.resource
        self.types[written.path] = info
        lower = self._lowering.value
        values = {k: lower(v) for k, v in (written.properties if written.checked is None else written.checked).items()}
        marks = property_marks(resource.properties)
        if info.name == RECORD and not self._kinds.supported(resource.type):
            values = {"value": {k: v for k, v in values.items() if v is not None}}
        elif resource.stands_for and dialect is not None:
            values = {k: v for k, v in values.items() if k in dialect.properties or k in info.properties}
        native, at, self._words[written.path] = self._translator.properties(resource, info, dialect, values, marks)
        self._of_metadata(written, info, native)
        _of_signals(written, info, native)
        at[""], at["type"] = resource.mark, resource.type_mark
        if written.placed.level.template.language == "cfn":
            native = coerced(native, info.schema)
        whole = hidden(with_defaults(native, info.schema) if written.external_id is None else native, info)
        return DesiredResource(
            written.path, info.name, whole, foreign_type=resource.type, scope=written.scope,
            policies=self._translator.policies(written.policies, resource, info, dialect),
            metadata=lower(written.metadata), external_id=lower(written.external_id), marks=at,
            depends=tuple(d for d in written.depends if d.via in EXPLICIT),
        )  # fmt: skip

    def _of_metadata(self, written: Written, info: ResourceTypeInfo, native: dict[str, Value]) -> None:
        """Properties that stand under a key of the resource's metadata (schema keyword ``fromMetadata``), as programs in guests read them there."""
        for name, schema in info.properties.items():
            key = schema.get("fromMetadata")
            if key and isinstance(written.metadata, dict) and written.metadata.get(key) is not None and name not in native:
                native[name] = self._lowering.value(written.metadata[key])

    def _linked(self, made: DesiredResource, resources: dict[str, DesiredResource]) -> DesiredResource:
        """Checked, with its dependency edges."""
        for value in made.properties.values():
            for unknown in unknowns(value):
                for reference in unknown.refs():
                    check_attribute(reference, self.types, self._written, self._kinds, self._diagnostics)
        before = len(self._diagnostics)
        check_types(made.path, made.properties, self.types[made.path], self.types, self._diagnostics)
        faulty = made.path in self._written and self._written[made.path].faulty
        keys = self._written[made.path].placed.resource.properties if made.path in self._written else None
        dialect = self._kinds.dialect(made.foreign_type)
        if not faulty:
            self._validator.check(
                made, self.types[made.path], self._diagnostics, lambda prop: key_mark_of(prop, keys, dialect, made.mark_of(prop)),
                lambda prop: self._written_as(made, prop),
            )  # fmt: skip
        if not faulty and len(self._diagnostics) == before and made.external_id is None:
            self._rules(made)
        explicit = [d for d in made.depends if d.path in resources]
        named = {d.path for d in explicit if d.need == "ready"}
        inferred = [d for d in dependencies_of(made.properties, self.types, made.marks) if d.path in resources and d.path not in named]
        also = {d.path for d in inferred}
        explicit = [d for d in explicit if d.need == "ready" or d.path not in also]
        return replace(made, depends=(*inferred, *explicit)) if inferred or len(explicit) != len(made.depends) else made

    def _written_as(self, made: DesiredResource, prop: str) -> str:
        """How the template writes a native property."""
        words, parts = self._words.get(made.path, {}), prop.split(".")
        known = next((n for n in range(len(parts), 0, -1) if ".".join(parts[:n]) in words), 0)
        if known:
            return ".".join((words[".".join(parts[:known])], *parts[known:]))
        keys = self._written[made.path].placed.resource.properties if made.path in self._written else None
        return written_as(prop, keys, self._kinds.dialect(made.foreign_type))

    def _rules(self, made: DesiredResource) -> None:
        """The type's own rules between properties, once each of them is right by itself."""
        for refusal in self.types[made.path].handler.check(made.properties):
            name = self._written_as(made, refusal.prop) if refusal.prop else ""
            where = f"{made.path}.{name}" if name else made.path
            mark = made.mark_of(refusal.prop)
            self._diagnostics.items.append(Diagnostic("V107", f"{where}: {refusal.reason}", mark, refusal.hint, refusal.severity))

    def output(self, output: DesiredOutput) -> DesiredOutput:
        """An output with native references, checked."""
        value = self._lowering.value(output.value)
        for unknown in unknowns(value):
            for reference in unknown.refs():
                check_attribute(reference, self.types, self._written, self._kinds, self._diagnostics)
        return replace(output, value=value)
