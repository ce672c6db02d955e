"""Nova's and EC2's ways to say on which networks a server is, and on which disks it stands (EC2's longer ones: ``ec2_words``)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stackengine import sdk

from . import ec2_words
from .words import in_groups, is_true, maps, place, tell

_NETWORK = {"network": "network", "uuid": "network", "network_id": "network", "subnet": "subnet", "port": "port", "fixed_ip": "address", "address": "address",
            "mac": "mac"}  # fmt: skip


def translate(foreign_type: str, properties: dict[str, Any]) -> dict[str, Any]:
    """Take up what the table could only put aside (``$name``); ValueError for what cannot be."""
    for key, take in _TAKERS.items():
        if key in properties:
            _take(properties, key, take)
    if foreign_type in _CLOUD_GROUPS and _open(properties):
        properties.setdefault("$notices", []).append((OPEN, "SE::SecurityGroup"))
    return properties


def _take(properties: dict[str, Any], key: str, take: Callable[[dict[str, Any], Any], None]) -> None:
    before, value = dict(properties), properties.pop(key)
    try:
        take(properties, value)
    except sdk.UntranslatableError:
        raise
    except ValueError as error:
        raise sdk.UntranslatableError(str(error), key) from error
    for name in list(properties):
        if not name.startswith("$") and properties[name] is not before.get(name):
            place(properties, name, key)


_CLOUD_GROUPS = ("OS::Nova::Server", "AWS::EC2::Instance")
OPEN = "one that names no group is open to its networks here; the cloud would put it into its group 'default', which lets in its own members only"


def _open(properties: dict[str, Any]) -> bool:
    """Whether an interface is in no group, and has no port, which would say it for itself."""
    networks = properties.get("networks")
    if not isinstance(networks, list):
        return not properties.get("security_groups")
    said = [n.get("security_groups", properties.get("security_groups")) for n in networks if isinstance(n, dict) and n.get("port") is None]
    return not all(said)


def _networks(properties: dict[str, Any], value: Any) -> None:
    if isinstance(value, str):
        if value == "none":
            properties["networks"] = []
            return
        if value == "auto":
            return
    if not isinstance(value, list):
        properties["networks"] = value
        return
    found: list[Any] = []
    for n, entry in enumerate(value):
        if not isinstance(entry, dict):
            found.append(entry)
            continue
        if entry.get("allocate_network") in ("none", "auto"):
            _networks(properties, entry["allocate_network"])
            return
        for key in entry:
            place(properties, f"networks.{len(found)}.{_NETWORK.get(key, key)}", f"$networks.{n}.{key}")
        found.append({_NETWORK.get(k, k): v for k, v in entry.items() if v is not None})
    properties["networks"] = found


def _subnet(properties: dict[str, Any], value: Any) -> None:
    address = properties.pop("$address", None)
    properties["networks"] = [{"subnet": value, **({"address": address} if address is not None else {})}]


def _address(properties: dict[str, Any], value: Any) -> None:
    raise ValueError("PrivateIpAddress needs a SubnetId")


def _tags(properties: dict[str, Any], value: Any) -> None:
    if isinstance(value, list):
        properties["metadata"] = {t["Key"]: t.get("Value", "") for t in value if isinstance(t, dict) and isinstance(t.get("Key"), str)}


def _nova_devices(properties: dict[str, Any], value: Any) -> None:
    """Nova's block_device_mapping_v2 (and the first form of it): volumes that are there, and an image on a root disk of its own size."""
    for n, entry in enumerate(maps(value, "a block device mapping")):
        at = f"$nova_devices.{n}"
        _nova_inert(properties, entry, at)
        boots = str(entry.get("boot_index", "")) == "0" or entry.get("device_name") in ("vda", "/dev/vda")
        if entry.get("volume_id") is not None:
            bus = {"bus": entry["disk_bus"]} if entry.get("disk_bus") else {}
            properties.setdefault("volumes", []).append({"volume": entry["volume_id"], "boot": boots, **bus})
        elif boots and (entry.get("image") or entry.get("image_id")) is not None:
            properties["image"] = entry.get("image") or entry["image_id"]
            if entry.get("volume_size") is not None:
                properties["disk"] = entry["volume_size"]
        else:
            what = "a block device is a volume (volume_id), or the root disk of an image; make other disks by OS::Cinder::Volume"
            raise sdk.UntranslatableError(what, at)


def _nova_inert(properties: dict[str, Any], entry: dict[str, Any], at: str) -> None:
    """What of a block device has no effect here."""
    volume = entry.get("volume_id") is not None
    why = {
        "delete_on_termination": "a volume of the stack goes with the stack: its deletion policy says what becomes of it" if volume else "",
        "device_name": "guests name disks themselves: this one is found by its serial" if entry.get("device_name") not in ("vda", "/dev/vda") else "",
        "device_type": "it is attached as a disk" if entry.get("device_type") != "disk" else "",
        "volume_size": "the volume has its own size" if volume else "",
        "disk_bus": "" if volume else "root_disk of SE::Server says it",
    }  # fmt: skip
    why |= dict.fromkeys(("guest_format", "tag", "volume_type"), "disks have no such thing here")
    for key, reason in why.items():
        said = entry.get(key)
        if reason and said is not None and not (key == "delete_on_termination" and not is_true(said)):
            tell(properties, f"{at}.{key}", reason)
    if not volume and entry.get("delete_on_termination") is not None and not is_true(entry["delete_on_termination"]):
        tell(properties, f"{at}.delete_on_termination", "a root disk goes with its server; deletion_policy: Snapshot keeps a copy of it")


def _config_drive(properties: dict[str, Any], value: Any) -> None:
    """Nova's config_drive; without it the seed is NoCloud's."""
    if str(value).lower() == "true":
        properties["seed"] = "config-drive"


def _check(properties: dict[str, Any], value: Any) -> None:
    """EC2's SourceDestCheck; that it is on is the rule."""
    if str(value).lower() == "false":
        properties["anti_spoofing"] = False


def _user_data_update(properties: dict[str, Any], value: Any) -> None:
    properties["user_data_update"] = value.lower() if isinstance(value, str) else value


def _groups(properties: dict[str, Any], value: Any) -> None:
    properties["security_groups"] = in_groups(properties, value)


def _placement(properties: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = properties.setdefault("placement", {})
    return found


def _zone(properties: dict[str, Any], value: Any) -> None:
    """Nova's ``zone`` or ``zone:host``; the names of Nova's and EC2's only zone here (nova, local, and what Fn::GetAZs gives) are any host."""
    if not isinstance(value, str):
        _placement(properties)["zone"] = value
        return
    zone, _, host = value.partition(":")
    if zone and zone not in ("nova", "local"):
        _placement(properties)["zone"] = zone
    if host:
        _placement(properties)["host"] = host.partition(":")[0]


def _hints(properties: dict[str, Any], value: Any) -> None:
    """Nova's scheduler hints that its own filters read (Nova, scheduling): group, same_host, different_host."""
    if not isinstance(value, dict):
        raise ValueError("scheduler_hints is a map that is known before apply")
    strange = value.keys() - {"group", "same_host", "different_host"}
    if strange:
        raise ValueError(f"scheduler_hints has {', '.join(sorted(strange))}; group, same_host and different_host are there")
    for hint, key in (("group", "groups"), ("same_host", "near"), ("different_host", "far")):
        if value.get(hint) is not None:
            _placement(properties)[key] = value[hint] if isinstance(value[hint], list) else [value[hint]]


def _hint_list(properties: dict[str, Any], value: Any) -> None:
    """Heat's EC2 instances have them as a list of keys and values."""
    _hints(properties, {e.get("Key"): e.get("Value") for e in maps(value, "NovaSchedulerHints")})


_ARCHITECTURES = {"x86_64": "", "amd64": "", "x86-64": "", "x64": "", "aarch64": "aarch64", "arm64": "aarch64"}


def _architecture(properties: dict[str, Any], value: Any) -> None:
    """TOSCA's architecture of an operating system (Simple Profile, tosca.capabilities.OperatingSystem); the usual one needs no word."""
    known = _ARCHITECTURES.get(str(value).lower())
    if isinstance(value, str) and known is None:
        tell(properties, "$architecture", f"there are no machines of the architecture {value}: x86_64, or aarch64")
    elif known:
        properties["arch"] = known
    elif not isinstance(value, str):
        raise ValueError("an architecture is known before apply")


def _group(properties: dict[str, Any], value: Any) -> None:
    _placement(properties)["groups"] = [value]


_TAKERS: dict[str, Callable[[dict[str, Any], Any], None]] = {
    "$networks": _networks, "$interfaces": ec2_words.interfaces, "$subnet": _subnet, "$address": _address, "$tags": _tags,
    "$nova_devices": _nova_devices, "$ec2_devices": ec2_words.devices, "$ec2_volumes": ec2_words.volumes,
    "$user_data_update": _user_data_update, "$groups": _groups, "$cpu": ec2_words.cpu, "$metadata_options": ec2_words.metadata_options,
    "$check": _check, "$config_drive": _config_drive,
    "$zone": _zone, "$hints": _hints, "$hint_list": _hint_list, "$group": _group, "$architecture": _architecture,
}  # fmt: skip
