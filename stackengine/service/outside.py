"""What other stacks of the store say to a template: exports, outputs, records, secrets; and who uses whose exports."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from stackengine.evaluate import PENDING, resolve
from stackengine.model.desired import Desired
from stackengine.model.diagnostics import Diagnostics
from stackengine.model.instance import Instance
from stackengine.model.values import SecretRef, Sensitive, Unknown, Value, has_unknown, leaves, map_leaves
from stackengine.service.session import Session

if TYPE_CHECKING:
    from stackengine.store.store import StackRow, Store

EXPORTS, IMPORTS = "exports", "imports"
"""Keys of ``Desired.extra``: {name of an export: output}, [names of exports that are used]."""


class OtherStacks:
    """``evaluate.Outside`` over the store; asked only when a template asks."""

    def __init__(self, session: Session, own: str) -> None:
        self._session, self._own = session, own

    @property
    def store(self) -> Store:
        """Where they are recorded."""
        return self._session.store

    @cached_property
    def _stacks(self) -> list[StackRow]:
        return [s for s in self._session.store.stacks() if s.name != self._own]

    @cached_property
    def _shared(self) -> dict[str, dict[str, Any]]:
        return {s.id: self._session.store.shared(s.id, s.revision) for s in self._stacks}

    def _desired(self, stack: StackRow) -> Desired:
        return self._session.store.revision(stack.id, stack.revision).desired

    def export(self, name: str) -> Value:
        """What is exported under a name; None where nothing is."""
        for stack in self._stacks:
            output = self._exports(stack).get(name)
            if output is not None:
                return self._output(stack, output)
        return None

    def output(self, stack: str, name: str) -> Value:
        """An output of another stack."""
        found = next((s for s in self._stacks if s.name == stack), None)
        if found is None:
            raise LookupError(f"Stack with id {stack} does not exist")
        if name not in self._desired(found).outputs:
            raise LookupError(f"the stack {stack} has no output {name}")
        return self._output(found, name)

    def record(self, name: str) -> Value:
        """A record by name."""
        return next((v for _, v in self._values("SE::Record", name)), None)

    def secret(self, name: str) -> Value:
        """A secret by name or physical id."""
        found = next((v for _, v in self._values("SE::Secret", name)), None)
        return found if found is None or isinstance(found, Sensitive) else Sensitive(found)

    def holder_of(self, export: str) -> str | None:
        """The other stack that exports a name."""
        return next((s.name for s in self._stacks if export in self._exports(s)), None)

    def users_of(self, export: str) -> list[str]:
        """The other stacks that import a name."""
        return [s.name for s in self._stacks if export in self._shared[s.id].get(IMPORTS, ())]

    def _exports(self, stack: StackRow) -> Mapping[str, str]:
        found: Mapping[str, str] = self._shared[stack.id].get(EXPORTS, {})
        return found

    def _values(self, kind: str, name: str) -> Iterator[tuple[Instance, Value]]:
        for stack in self._stacks:
            recorded = self._session.store.recorded(stack.id)
            for instance in recorded.instances.values():
                if instance.type == kind and name in (instance.identity.get("name"), instance.physical_id) and instance.status == "ready":
                    value = instance.attributes.get("value") if kind == "SE::Secret" else instance.properties.get("value")
                    yield instance, self._opened(stack, value)

    def _output(self, stack: StackRow, name: str) -> Value:
        instances = {i.path: i for i in sorted(self._session.store.recorded(stack.id).instances.values(), key=lambda i: (i.sure, i.generation))}

        def lookup(path: str, attribute: str | None) -> Value:
            instance = instances.get(path)
            if instance is None:
                return PENDING
            return instance.physical_id if attribute is None else instance.identity.get(attribute, instance.attributes.get(attribute))

        found = self._desired(stack).outputs[name]
        value = resolve(found.value, lookup, self._session.store.vault(stack.id))
        if has_unknown(value):
            raise LookupError(f"the output {name} of the stack {stack.name} is not known: it did not come up")
        opened = self._opened(stack, value)
        return Sensitive(opened) if found.sensitive and not isinstance(opened, Sensitive) else opened

    def _opened(self, stack: StackRow, value: Value) -> Value:
        vault = self._session.store.vault(stack.id)
        return map_leaves(value, lambda v: Sensitive(vault.open(v)) if isinstance(v, SecretRef) else v)


def check_exports(others: OtherStacks, row: StackRow, after: Desired, diagnostics: Diagnostics) -> None:
    """Report exports of the same name, and exports in use that would go or change (CloudFormation's rules of Export and Fn::ImportValue)."""
    old: dict[str, Any] = others.store.shared(row.id, row.revision).get(EXPORTS, {}) if row.revision else {}
    before = others.store.revision(row.id, row.revision).desired if old else Desired()
    new: dict[str, Any] = after.extra.get(EXPORTS, {})
    for name, output in new.items():
        holder = others.holder_of(name)
        if holder is not None:
            summary = f"Export with name {name} is already exported by stack {holder}."
            diagnostics.error("R120", summary, after.outputs[output].mark, "names of exports are unique in a store")
    for name, output in old.items():
        gone = name not in new
        if not gone and _without_places(before.outputs[output].value) == _without_places(after.outputs[new[name]].value):
            continue
        users = others.users_of(name)
        if users:
            verb, mark = ("deleted", before.outputs[output].mark) if gone else ("updated", after.outputs[new[name]].mark)
            diagnostics.error("R121", f"Export {name} cannot be {verb} as it is in use by {', '.join(users)}", mark, "Fn::GetStackOutput holds nothing fast")


def _without_places(value: Value) -> str:
    """A value for comparison, whatever line of the template it stands in."""
    return re.sub(r"Mark\([^)]*\)", "", repr([v.expr if isinstance(v, Unknown) else v for v in leaves(value)]))
