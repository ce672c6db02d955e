"""Constraints of HOT parameters: their shapes, and which types each of them fits (heat, engine/constraints.py)."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from stackengine.formats.build import check_keys, plain, text_of
from stackengine.formats.hot import versions as since
from stackengine.formats.tree import Node
from stackengine.model import patterns
from stackengine.model.diagnostics import Diagnostics, did_you_mean
from stackengine.model.template import Constraint

ORDER = {"range": "range", "length": "length", "allowed_values": "allowed_values", "allowed_pattern": "pattern", "custom_constraint": "custom"}
"""HOT's name to the neutral kind; where a constraint has several, Heat takes the first of these."""
FITS = {
    "range": ("number",), "modulo": ("number",), "length": ("string", "list", "json"), "allowed_pattern": ("string",),
    "allowed_values": ("string", "number", "boolean", "list"), "custom_constraint": ("string", "number", "boolean", "list"),
}  # fmt: skip

GENERIC = ("cron_expression", "dns_domain", "dns_name", "rel_dns_name", "expiration", "ip_addr", "ip_or_cidr", "net_cidr", "iso_8601", "mac_addr", "timezone",
           "json_string", "test_constr")  # fmt: skip
"""Custom constraints that need no service."""
SERVICES = (
    "barbican.container", "barbican.secret", "blazar.host", "blazar.reservation", "cinder.backup", "cinder.qos_specs", "cinder.snapshot", "cinder.volume",
    "cinder.vtype", "designate.zone", "glance.image", "heat.resource_type", "ironic.node", "ironic.portgroup", "keystone.domain", "keystone.group",
    "keystone.project", "keystone.region", "keystone.role", "keystone.service", "keystone.user", "magnum.cluster_template", "manila.share_network",
    "manila.share_snapshot", "manila.share_type", "mistral.workflow", "monasca.notification", "neutron.address_group", "neutron.address_scope",
    "neutron.flow_classifier", "neutron.lb.provider", "neutron.lbaas.listener", "neutron.lbaas.loadbalancer", "neutron.lbaas.pool",
    "neutron.lbaas.provider", "neutron.network", "neutron.port", "neutron.port_pair", "neutron.port_pair_group", "neutron.qos_policy", "neutron.router",
    "neutron.security_group", "neutron.segment", "neutron.subnet", "neutron.subnetpool", "neutron.taas.tap_flow", "neutron.taas.tap_service", "nova.flavor",
    "nova.host", "nova.hypervisor", "nova.keypair", "nova.network", "nova.server", "octavia.availabilityzone", "octavia.availabilityzoneprofile",
    "octavia.flavor", "octavia.flavorprofile", "octavia.l7policy", "octavia.listener", "octavia.loadbalancer", "octavia.pool", "sahara.cluster",
    "sahara.cluster_template", "sahara.data_source", "sahara.image", "sahara.job_binary", "sahara.job_type", "sahara.plugin", "senlin.cluster",
    "senlin.policy", "senlin.policy_type", "senlin.profile", "senlin.profile_type", "swift.container", "trove.flavor", "zaqar.queue",
)  # fmt: skip
"""Custom constraints that ask a cloud's service whether a thing of this name is there."""


class Kinds(NamedTuple):
    """What a parameter's constraints may be."""

    type: str
    version: str

    def names(self) -> list[str]:
        """Names of constraints that this version has."""
        return [*(["modulo"] if self.version >= since.MODULO else []), *ORDER]


def constraints(name: str, node: Node | None, kinds: Kinds, diagnostics: Diagnostics) -> tuple[Constraint, ...]:
    """The constraints of the parameter ``name``."""
    if node is None or (node.kind == "scalar" and node.plain and node.text in ("", "~", "null")):
        return ()
    if node.kind != "list":
        diagnostics.error("H133", f"parameter {name}: constraints is a list", node.mark, "begin each constraint with '- '")
        return ()
    return tuple(c for item in node.items if (c := _constraint(name, item, kinds, diagnostics)) is not None)


def _constraint(name: str, node: Node, kinds: Kinds, diagnostics: Diagnostics) -> Constraint | None:
    known = kinds.names()
    if node.kind != "map":
        diagnostics.error("H134", f"parameter {name}: a constraint is a mapping with one of {', '.join(known)}", node.mark)
        return None
    elsewhere = {"modulo": f"modulo came with {since.MODULO}"}
    check_keys(node, [*known, "description"], f"a constraint of {name}", "H135", diagnostics, elsewhere)
    chosen = next((k for k in known if node.get(k) is not None), None)
    if chosen is None:
        if all(k.text == "description" for k in node.key_nodes()):
            diagnostics.error("H134", f"parameter {name}: a constraint needs one of {', '.join(known)}", node.mark)
        return None
    others = [k for k, _ in node.entries if k.text in known and k.text != chosen]
    if others:
        diagnostics.warning("H136", f"parameter {name}: only {chosen} counts here, not {others[0].text}", others[0].mark, "write one constraint for each")
    rule = node.get(chosen)
    assert rule is not None
    if kinds.type not in FITS[chosen]:
        what = {"list": "comma_delimited_list"}.get(kinds.type, kinds.type)
        diagnostics.error("H137", f"parameter {name}: {chosen} does not fit the type {what}", rule.mark, f"it fits {', '.join(FITS[chosen])}")
        return None
    made = _rule(name, chosen, rule, diagnostics)
    return Constraint({**ORDER, "modulo": "modulo"}[chosen], made, text_of(node.get("description")), rule.mark) if made is not None else None


def _rule(name: str, kind: str, node: Node, diagnostics: Diagnostics) -> Any:
    """The constraint's value, or None where it is reported."""
    found = plain(node, "yaml11")
    match kind:
        case "range" | "length":
            return _bounds(name, kind, node, found, diagnostics)
        case "modulo":
            return _steps(name, node, found, diagnostics)
        case "allowed_values" if not isinstance(found, list):
            return _wrong(name, "allowed_values is a list", node, diagnostics)
        case "allowed_pattern":
            if not isinstance(found, str):
                return _wrong(name, "allowed_pattern is text", node, diagnostics)
            try:
                re.compile(found)
                patterns.compiled(found)
            except (re.error, ValueError, RecursionError, OverflowError) as error:
                return _wrong(name, f"allowed_pattern is no regular expression: {error}", node, diagnostics)
        case "custom_constraint":
            if not isinstance(found, str) or found not in (*GENERIC, *SERVICES):
                known = (*GENERIC, *SERVICES)
                diagnostics.error("H139", f"parameter {name}: there is no custom constraint {found}", node.mark, did_you_mean(str(found), known))
                return None
    return found


def _wrong(name: str, what: str, node: Node, diagnostics: Diagnostics) -> None:
    diagnostics.error("H138", f"parameter {name}: {what}", node.mark)


def _number(value: Any) -> Any:
    if isinstance(value, str):
        try:
            return int(value)
        except ValueError:
            return float(value)
    if value is None or isinstance(value, (int, float)):
        return value
    raise ValueError(value)


def _bounds(name: str, kind: str, node: Node, found: Any, diagnostics: Diagnostics) -> Any:
    if not isinstance(found, dict):
        return _wrong(name, f"{kind} is a mapping with min and max", node, diagnostics)
    check_keys(node, ("min", "max"), f"{kind} of {name}", "H135", diagnostics)
    try:
        low, high = _number(found.get("min")), _number(found.get("max"))
    except ValueError:
        return _wrong(name, f"min and max of {kind} are numbers", node, diagnostics)
    if low is None and high is None:
        return _wrong(name, f"{kind} needs min or max", node, diagnostics)
    if kind == "length" and any(isinstance(n, float) for n in (low, high)):
        return _wrong(name, "min and max of a length are whole numbers", node, diagnostics)
    return {k: v for k, v in (("min", low), ("max", high)) if v is not None}


def _steps(name: str, node: Node, found: Any, diagnostics: Diagnostics) -> Any:
    if not isinstance(found, dict):
        return _wrong(name, "modulo is a mapping with step and offset", node, diagnostics)
    check_keys(node, ("step", "offset"), f"modulo of {name}", "H135", diagnostics)
    try:
        step, offset = _number(found.get("step")), _number(found.get("offset"))
    except ValueError:
        step = offset = None
    if step is None or offset is None or step != int(step) or offset != int(offset):
        return _wrong(name, "modulo needs a step and an offset, both whole numbers", node, diagnostics)
    if step == 0 or abs(offset) >= abs(step) or step * offset < 0:
        return _wrong(name, "the offset of modulo is smaller than its step, which is not 0, and has its sign", node, diagnostics)
    return {"step": int(step), "offset": int(offset)}
