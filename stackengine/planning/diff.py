"""What differs between applied and wanted properties, and how each change is applied."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from stackengine.model.desired import DesiredResource
from stackengine.model.instance import Instance
from stackengine.model.values import Unknown, Value, has_unknown
from stackengine.planning.plan import Change
from stackengine.registry import ResourceTypeInfo
from stackengine.sdk import DRIFT, Effect, Profile

_ORDER: tuple[Effect, ...] = ("none", "live", "reboot", "replace")


def strongest(effects: Iterator[Effect]) -> Effect:
    """The strongest of ``effects``; ``none`` when there are none."""
    return max(effects, key=_ORDER.index, default="none")


def compare(
    old: Instance, want: dict[str, Value], info: ResourceTypeInfo, profile: Profile, resource: DesiredResource, observed: Mapping[str, Value] | None
) -> list[Change]:
    """Changes of top-level properties, with the schema's effect strengthened by the handler's ``classify``.

    Only keys that were set count; what a read observed wins over what was applied.
    """
    applied = old.properties
    if observed is None and applied == want:
        return []
    changes = []
    together = info.handler.effects(applied, want, profile) if applied != want else {}
    for name in sorted({*applied, *want}):
        before = observed[name] if observed is not None and name in observed else applied.get(name)
        after = want.get(name)
        if before == after or name in resource.policies.ignore_changes:
            continue
        changes.append(_change(name, before, after, info, profile, resource, want, together))
    return [*changes, *_drifted(observed or {}, resource)]


def _drifted(observed: Mapping[str, Value], resource: DesiredResource) -> list[Change]:
    """What a read found changed besides properties, as far as it can be put right."""
    return [
        Change(e["prop"], e.get("found"), e.get("expected"), e.get("effect", "live"), e.get("why", "changed outside of the stack"), resource.mark_of())
        for e in observed.get(DRIFT, ())
        if not e.get("note") and e["prop"].partition(".")[0] not in resource.policies.ignore_changes
    ]


def _change(
    name: str, before: Value, after: Value, info: ResourceTypeInfo, profile: Profile, resource: DesiredResource, want: Mapping[str, Value],
    together: Mapping[str, Effect],
) -> Change:  # fmt: skip
    effect = info.effects.get(name, "live")
    reason = "the type cannot change it in place" if effect == "replace" else ""
    chosen: Any = want.get(info.effect_options.get(name, ""))
    if chosen in _ORDER:
        effect, reason = chosen, f"{info.effect_options[name]} says so"
    if effect != "replace" and not isinstance(after, Unknown):
        stronger = max(info.handler.classify(name, before, after, profile), together.get(name, "none"), key=_ORDER.index)
        if _ORDER.index(stronger) > _ORDER.index(effect):
            effect, reason = stronger, f"this change needs {'a new object' if stronger == 'replace' else 'a restart'}"
    return Change(name, before, after, effect, reason, resource.mark_of(name))


def compare_contributed(old: Instance, want: dict[str, Value], info: ResourceTypeInfo, resource: DesiredResource) -> list[Change]:
    """Changes of what other resources contribute; effects are in the schema's ``contributions``."""
    if old.contributed == want:
        return []
    keys = sorted({*old.contributed, *want})
    return [
        Change(f"contributed.{k}", old.contributed.get(k), want.get(k), info.contribution_effects.get(k, "live"), "", resource.mark_of())
        for k in keys
        if old.contributed.get(k) != want.get(k)
    ]


def only_maybe(change: Change) -> bool:
    """Whether the change may still turn out to be none, because the new value is not known yet."""
    return has_unknown(change.new)


def with_ignored(want: dict[str, Value], old: Instance, resource: DesiredResource, info: ResourceTypeInfo) -> dict[str, Any]:
    """``want`` with the properties of ``ignore_changes``, and those that users chose to ignore, as they were applied."""
    ignored = {*resource.policies.ignore_changes, *(n for n, by in info.effect_options.items() if want.get(by) == "ignore")}
    kept = {n: old.properties[n] for n in ignored if n in old.properties}
    return {**want, **kept} if kept else want
