"""Servers that were there before their stack: their definition stays theirs, and only what the template says is changed in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree as ET

from stackengine import sdk

from . import definition as xml_of
from . import drift
from .sizes import maximum_of, memory_of, vcpus_of


def domain(host: sdk.Host, physical_id: str) -> sdk.DomainInfo:
    """A domain by name or UUID; NotFoundError where there is none."""
    info = next((d for d in host.domain_list() if physical_id in (d.uuid, d.name)), None)
    if info is None:
        raise sdk.NotFoundError(f"there is no domain {physical_id}", hint="name it as 'virsh list --all' does, or by its UUID")
    return info


def found(host: sdk.Host, physical_id: str, identity: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, sdk.Value]]:
    """Identity and attributes of a domain that belongs to nobody."""
    info = domain(host, physical_id)
    if "urn:stackengine:1" in info.xml:
        raise sdk.ExistsError(f"the domain {info.name} belongs to a stack already", hint=sdk.LET_GO)
    macs = [m.get("address", "") for m in ET.fromstring(info.xml).findall("devices/interface/mac")]
    wanted = list(identity["nics"])
    if len(macs) != len(wanted):
        raise sdk.RefusedError(f"it has {len(macs)} interfaces, and the template says {len(wanted)}", hint="say all of them under networks")
    addresses = {mac.lower(): address for mac, address in host.domain_addresses(info.uuid)}
    nics = [{**nic, "mac": mac, "address": addresses.get(mac.lower(), "")} for nic, mac in zip(wanted, macs, strict=True)]
    first = nics[0] if nics else {}
    named = {"physical_id": info.uuid, "uuid": info.uuid, "id": info.uuid, "name": info.name, "nics": nics, "networks": {}, "addresses": {}}
    return {**identity, **named, "address": first.get("address", ""), "mac": first.get("mac", "")}, {"adopted": True}


def described(host: sdk.Host, physical_id: str) -> sdk.Described:
    """A domain of the host, whoever made it: sizes, power, interfaces with the addresses that they have now."""
    info = domain(host, physical_id)
    addresses = {mac.lower(): address for mac, address in host.domain_addresses(info.uuid)}
    nics, networks = list[dict[str, Any]](), dict[str, list[str]]()
    for interface in ET.fromstring(info.xml).findall("devices/interface"):
        mac, source = interface.find("mac"), interface.find("source")
        known = mac.get("address", "").lower() if mac is not None else ""
        nic = {"mac": known, "address": addresses.get(known, ""), "network": source.get("network", "") if source is not None else "", "port": ""}
        nics.append(nic)
        networks.setdefault(nic["network"], []).append(nic["address"])
    first = nics[0] if nics else {}
    identity = {
        "physical_id": info.uuid, "uuid": info.uuid, "id": info.uuid, "name": info.name, "hostname": info.name,
        "address": first.get("address", ""), "mac": first.get("mac", ""), "nics": nics, "networks": networks, "addresses": {},
    }  # fmt: skip
    power = "running" if info.state in ("running", "paused") else "stopped"
    return sdk.Described(identity, {**xml_of.defined_sizes(info.xml), "power": power}, {"adopted": True})


def bring(ctx: sdk.Context, want: sdk.Properties) -> dict[str, sdk.Value]:
    """Set sizes, power and whose it is; everything else in the definition is left as it was."""
    uuid = str(ctx.identity["uuid"])
    before = ctx.host.domain_info(uuid)
    if before is None:
        raise sdk.FailedError("it is gone, and an imported server cannot be made again", hint="forget it: stack-run forget STACK PATH")
    root = ET.fromstring(before.xml)
    for tag, value in (("memory", maximum_of(want)), ("currentMemory", memory_of(want)), ("vcpu", vcpus_of(want))):
        element = root.find(tag)
        element = ET.SubElement(root, tag) if element is None else element
        element.text = str(value)
        if tag != "vcpu":
            element.set("unit", "MiB")
    holder = root.find("metadata")
    holder = ET.SubElement(root, "metadata") if holder is None else holder
    for old in holder.findall("{urn:stackengine:1}stack"):
        holder.remove(old)
    holder.append(ET.fromstring(xml_of.metadata(ctx, want)))
    xml = ET.tostring(root, encoding="unicode")
    defined = ctx.host.domain_define(xml)
    _power(ctx, want, before, xml)
    return {"adopted": True, "definition": drift.remembered(xml, defined.xml)}


def _power(ctx: sdk.Context, want: sdk.Properties, before: sdk.DomainInfo, xml: str) -> None:
    uuid, runs = str(ctx.identity["uuid"]), before.state in ("running", "paused")
    if want["power"] == "stopped":
        ctx.host.domain_shutdown(uuid, want["shutdown_timeout"], ctx.check)
    elif want["power"] == "suspended":
        ctx.host.domain_save(uuid)
    elif not runs:
        ctx.host.domain_start(uuid)
    elif xml_of.needs_restart(before.live_xml, xml):
        ctx.host.domain_reboot(uuid, want["shutdown_timeout"], ctx.check)
    else:
        if before.memory_kib != memory_of(want) << 10:
            ctx.host.domain_set_memory(uuid, memory_of(want) << 10)
        ctx.host.domain_set_metadata(uuid, xml_of.metadata(ctx, want))
