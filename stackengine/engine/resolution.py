"""At the start of an action: what was unknown is known now. Resolves properties, opens and seals secrets."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from stackengine.engine.ports import Vault
from stackengine.engine.redact import Redactor
from stackengine.evaluate import PENDING, EvaluationError, resolve, seal
from stackengine.model.desired import Desired
from stackengine.model.instance import Instance, Recorded
from stackengine.model.values import SecretRef, Sensitive, Value, has_leaf, has_unknown, leaves, map_leaves
from stackengine.planning.plan import Action, Plan
from stackengine.registry import ResourceTypeInfo
from stackengine.sdk import Gate, Referred


class ReplaceNeededError(Exception):
    """A create-only property that was unknown in the plan turned out different: the plan did not say so, so the walk does not do it."""


class Resolution:
    """Knows what every path of the plan has become so far."""

    def __init__(self, plan: Plan, desired: Desired, recorded: Recorded, vault: Vault, redactor: Redactor) -> None:
        self._plan, self._desired, self._recorded, self._vault, self._redactor = plan, desired, recorded, vault, redactor

    def lookup(self, path: str, attribute: str | None) -> Value:
        """Attributes as recorded; identity first."""
        instance = self._recorded.instances.get(self._plan.chosen.get(path, ""))
        if instance is None:
            return PENDING
        if attribute is None:
            return instance.physical_id
        if attribute in instance.identity:
            return instance.identity[attribute]
        found = instance.attributes.get(attribute)
        return Sensitive(self._vault.open(found)) if isinstance(found, SecretRef) else found

    def of(self, action: Action) -> tuple[Instance, dict[str, Any], dict[str, Any]]:
        """The instance with resolved properties, the properties opened for the handler, and its contributions."""
        instance = action.instance
        if has_unknown(instance.properties) or has_unknown(instance.contributed):
            instance = replace(
                instance,
                properties=resolve(instance.properties, self.lookup, self._vault),
                contributed=resolve(instance.contributed, self.lookup, self._vault),
            )
        old = self._recorded.instances.get(instance.id)
        if action.possible_replace and old is not None:
            forced = [c.prop for c in action.changes if c.effect == "replace" and old.properties.get(c.prop) != instance.properties.get(c.prop)]
            if forced:
                raise ReplaceNeededError(f"{', '.join(forced)} turned out different, which needs a new object")
        return instance, self.opened(instance.properties), self.opened(instance.contributed)

    def nothing_to_do(self, action: Action, instance: Instance) -> bool:
        """Whether the update is weaker than planned: a sure, ready, running object that is as it should be."""
        old = self._recorded.instances.get(instance.id)
        return (
            action.verb == "update"
            and old is not None
            and old.sure
            and old.status == "ready"
            and old.power in ("running", "saved")
            and old.properties == instance.properties
            and old.contributed == instance.contributed
            and old.id not in self._recorded.observed
        )

    def opened(self, value: Value) -> Any:
        """``value`` with its secrets revealed (and remembered, so that they are kept out of the log)."""
        if not has_leaf(value, (SecretRef, Sensitive)):
            return value

        def leaf(item: Value) -> Value:
            if isinstance(item, (SecretRef, Sensitive)):
                plain = self._vault.open(item) if isinstance(item, SecretRef) else item.value
                self._redactor.learn(plain)
                return plain
            return item

        return map_leaves(value, leaf)

    def sealed(self, attributes: dict[str, Value], info: ResourceTypeInfo) -> dict[str, Value]:
        """Attributes for the log: those that the schema calls sensitive become secrets, and so does every value that is a known secret or has one in it."""
        if not attributes:
            return attributes
        wrapped: dict[str, Value] = {
            k: Sensitive(v) if k in info.sensitive and not isinstance(v, Sensitive) else map_leaves(v, self._hidden) for k, v in attributes.items()
        }
        for value in leaves(wrapped):
            if isinstance(value, Sensitive):
                self._redactor.learn(value.value)
        result: dict[str, Value] = seal(wrapped, self._vault)
        return result

    def _hidden(self, leaf: Value) -> Value:
        return Sensitive(leaf) if self._redactor.holds(leaf) else leaf

    def gate(self, action: Action, info: ResourceTypeInfo) -> Gate:
        """The gate made of what is known by now: its timeout may have been an attribute of something else."""
        assert action.gate is not None
        instance = self._recorded.instances[action.instance.id]
        found = info.handler.gate(instance.identity, self.opened(instance.properties)) or action.gate
        return replace(found, kind=action.gate.kind) if action.gate.kind == "agent" else found  # as the plan saw it, where only the agent can be waited for

    def referred(self, instance: Instance) -> dict[str, Referred]:
        """By physical id, everything that ``instance`` may refer to; of copies the one on its own host."""
        found = {}
        others = [o for id_ in instance.holds | instance.refs if (o := self._recorded.instances.get(id_)) is not None]
        for other in sorted(others, key=lambda o: o.host == instance.host):
            attributes = self.opened(other.attributes)
            going = f"delete:{other.id}" in self._plan.actions
            found[other.physical_id] = Referred(
                other.path, other.type, other.physical_id, other.identity, self.opened(other.properties), attributes, going, other.external
            )
        return found

    def outputs(self) -> tuple[dict[str, Value], list[str]]:
        """The outputs, sealed, and what is wrong with those that cannot be worked out (their value is None: the stack is up all the same)."""
        found: dict[str, Value] = {}
        wrong = []
        for output in self._desired.outputs.values():
            try:
                found[output.name] = resolve(output.value, self.lookup, self._vault)
            except EvaluationError as error:
                found[output.name] = None
                wrong.append(f"output {output.name}: {error}")
        return found, wrong
