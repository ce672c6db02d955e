"""What a server's machine is made of besides memory, disks and interfaces: firmware, CPU, NUMA, TPM, watchdog, vsock, VNC."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from stackengine import sdk

from .sizes import max_vcpus_of, maximum_of

PROPERTIES = (
    "shares", "pci", "firmware", "tpm", "cpu", "numa", "hugepages", "watchdog", "vsock", "vm_mode", "vnc", "cdrom", "root_disk", "libvirt_overlay", "cmdline",
    "rescue", "boot", "nic_model", "machine", "video",
)  # fmt: skip
"""Those that only a start of the guest brings."""
LIMITS = ("limits",)
"""Of ``root_disk``, what changes while the guest runs."""
X86 = "x86_64"
FEATURES = {"firmware": "uefi", "tpm": "tpm", "vsock": "vsock"}
"""The feature that a host must have for a property."""


def architecture(want: sdk.Properties, profile: sdk.Profile, *, kernel: bool) -> dict[str, Any]:
    """Of the domain's template, what depends on the guest's architecture; one that is not the host's is emulated."""
    arch = want.get("arch") or profile.arch
    emulated = arch != profile.arch
    firmware = want.get("firmware") or ("uefi" if arch != X86 and not kernel else "bios")
    machine = want.get("machine") or (("q35" if arch == X86 else "virt") if emulated else profile.machine or "q35")
    return {"arch": arch, "domain_type": "qemu" if emulated else profile.domain_type, "machine": machine, "firmware": firmware}


def is_express(machine: str) -> bool:
    """Whether a machine's devices stand on PCI Express (q35, virt), and not on the PCI bus of an i440FX."""
    return not machine.startswith("pc") or machine.startswith("pc-q35")


def console_of(want: sdk.Properties, profile: sdk.Profile) -> str:
    """The kernel's name of the serial console."""
    return "ttyS0" if (want.get("arch") or profile.arch) == X86 else "ttyAMA0"


def pci_address(text: str) -> dict[str, str]:
    """libvirt's ``<address>`` of a PCI device."""
    domain, bus, rest = text.split(":")
    slot, function = rest.split(".")
    return {"domain": f"0x{domain}", "bus": f"0x{bus}", "slot": f"0x{slot}", "function": f"0x{function}"}


def values(want: sdk.Properties) -> dict[str, Any]:
    """What the domain's template needs of it."""
    found = {k: want.get(k) for k in ("tpm", "hugepages", "watchdog", "vsock", "vnc")} | {"video": want.get("video") or "virtio"}
    cpu = dict(want.get("cpu") or {})
    cells, first = [], 0
    for cell in want.get("numa") or ():
        last = first + cell["vcpus"] - 1
        cells.append({"cpus": f"{first}-{last}" if last > first else str(first), "memory": cell["memory"]})
        first = last + 1
    shares = [{"kind": "virtiofs", "read_only": False, **s} for s in want.get("shares") or ()]
    found |= {"shares": shares, "shared_memory": any(s["kind"] == "virtiofs" for s in shares)}
    return {**found, "cpu": cpu, "topology": topology(cpu), "cells": cells, "pci": [pci_address(a) for a in want.get("pci") or ()]}


def topology(cpu: Mapping[str, Any]) -> dict[str, int]:
    """Sockets, cores and threads, where any is given."""
    given = {k: cpu.get(k) or 1 for k in ("sockets", "cores", "threads")}
    return given if any(cpu.get(k) for k in given) else {}


def digest(want: sdk.Properties) -> str:
    """What a running guest must have been started with; empty for a plain machine."""
    plain = started_with(want)
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:12] if plain else ""


def started_with(want: sdk.Properties) -> dict[str, Any]:
    """What only a start brings; values may be Unknown."""
    plain: dict[str, Any] = {k: want[k] for k in PROPERTIES if want.get(k) not in (None, False, "bios")}
    if "vnc" in plain:
        plain["vnc"] = True  # the password is changed live, and is nothing to be guessed from a digest
    if isinstance(plain.get("root_disk"), dict):
        plain["root_disk"] = {k: v for k, v in plain["root_disk"].items() if k not in LIMITS}
        if not plain["root_disk"]:
            del plain["root_disk"]
    return plain


def broken(want: sdk.Properties) -> Iterator[sdk.Refusal]:
    """Rules between the parts, as far as they are known now."""
    cpu, numa = sdk.known(want.get("cpu"), {}), sdk.known_list(want.get("numa"))
    if any(sdk.has_unknown(want.get(k)) for k in ("vcpus", "max_vcpus", "memory", "max_memory", "flavor")):
        return
    if sdk.has_unknown(cpu) or sdk.has_unknown(numa):
        return
    if (cpu.get("mode") == "custom") != bool(cpu.get("model")):
        yield sdk.Refusal("cpu", "a CPU model goes with mode custom, and mode custom needs a model", "model: a name that 'virsh cpu-models x86_64' prints")
    shape, vcpus = topology(cpu), max_vcpus_of(want)
    if shape and shape["sockets"] * shape["cores"] * shape["threads"] != vcpus:
        text = " × ".join(f"{n} {k}" for k, n in shape.items())
        yield sdk.Refusal("cpu", f"{text} are not {vcpus} vCPUs", "sockets, cores and threads that are left out are 1")
    if numa and (sum(c["vcpus"] for c in numa), sum(c["memory"] for c in numa)) != (vcpus, maximum_of(want)):
        yield sdk.Refusal("numa", f"the cells do not add up to {vcpus} vCPUs and {maximum_of(want)} MiB")
    for share in (s for s in sdk.known_list(want.get("shares")) if isinstance(s, dict)):
        if share.get("read_only") and (share.get("kind") or "virtiofs") == "virtiofs":
            yield sdk.Refusal("shares", "libvirt shares nothing read-only by virtiofs", "kind: 9p")
    password = (sdk.known(want.get("vnc"), {}) or {}).get("password")
    if isinstance(password, str) and len(password) > 8:
        yield sdk.Refusal("vnc", "a VNC password has 8 characters at most (RFC 6143, 7.2.2)")


def refused(want: sdk.Properties, profile: sdk.Profile) -> Iterator[sdk.Refusal]:
    """What this host does not have."""
    for prop, feature in FEATURES.items():
        if want.get(prop) not in (None, False, "bios") and feature not in profile.features:
            yield sdk.Refusal(prop, f"this host has no {feature}", "leave it out, or install it there: ovmf, swtpm, the module vhost_vsock")
    shares = [s for s in sdk.known_list(want.get("shares")) if isinstance(s, dict)]
    for kind in sorted({s.get("kind") or "virtiofs" for s in shares if not sdk.has_unknown(s)} - profile.features):
        yield sdk.Refusal("shares", f"this host has no {kind}", "the other of virtiofs and 9p, or install virtiofsd there")
    arch, machine = want.get("arch"), want.get("machine")
    x86 = (arch if isinstance(arch, str) else profile.arch) == X86
    if isinstance(machine, str) and x86 == machine.startswith("virt"):
        yield sdk.Refusal("machine", f"{machine} is no machine of the guest's architecture", "q35 or pc of x86_64, virt of aarch64")
    elif isinstance(machine, str) and not is_express(machine) and want.get("firmware") == "uefi-secure":
        yield sdk.Refusal("machine", f"{machine} has no secure boot", "machine: q35")
    if isinstance(arch, str) and arch != profile.arch and f"arch-{arch}" not in profile.features:
        yield sdk.Refusal("arch", f"this host runs no guests of {arch}", "install its emulator there: qemu-system-arm, qemu-efi-aarch64")
    mode = (sdk.known(want.get("cpu"), {}) or {}).get("mode")
    if mode in ("host-passthrough", "host-model") and profile.domain_type == "qemu" and profile.mode != "memory":
        yield sdk.Refusal("cpu", f"{mode} needs an accelerator, and this host emulates", "mode: maximum")
