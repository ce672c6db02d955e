"""Nova's and EC2's ways to say on which networks a server is, and on which disks it stands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_NETWORK = {"network": "network", "uuid": "network", "network_id": "network", "subnet": "subnet", "port": "port", "fixed_ip": "address", "address": "address",
            "mac": "mac"}  # fmt: skip
_INTERFACE = {"NetworkInterfaceId": "port", "SubnetId": "subnet", "PrivateIpAddress": "address"}
_INTERFACE_QUIET = frozenset({"DeviceIndex", "AssociatePublicIpAddress", "GroupSet", "DeleteOnTermination", "Description", "AssociateCarrierIpAddress"})
"""Keys of an EC2 interface that change nothing by themselves: order and groups are taken up, there are no public addresses or interfaces that stay."""


def translate(foreign_type: str, properties: dict[str, Any]) -> dict[str, Any]:
    """Take up what the table could only put aside (``$name``); ValueError for what cannot be."""
    for key, take in _TAKERS.items():
        if key in properties:
            take(properties, properties.pop(key))
    if foreign_type in _CLOUD_GROUPS and _open(properties):
        properties.setdefault("$notices", []).append((OPEN, "SE::SecurityGroup"))
    return properties


_CLOUD_GROUPS = ("OS::Nova::Server", "AWS::EC2::Instance")
OPEN = "one that names no group is open to its networks here; the cloud would put it into its group 'default', which lets in its own members only"
NAMED = "the group 'default' lets in everybody on its networks here, and not its own members only"


def _open(properties: dict[str, Any]) -> bool:
    """Whether an interface is in no group, and has no port, which would say it for itself."""
    networks = properties.get("networks")
    ports = isinstance(networks, list) and all(isinstance(n, dict) and n.get("port") is not None for n in networks)
    return not ports and not properties.get("security_groups")


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
    found = []
    for entry in value:
        if not isinstance(entry, dict):
            found.append(entry)
            continue
        if entry.get("allocate_network") in ("none", "auto"):
            _networks(properties, entry["allocate_network"])
            return
        found.append({_NETWORK.get(k, k): v for k, v in entry.items() if v is not None})
    properties["networks"] = found


def _maps(value: Any, what: str) -> list[dict[str, Any]]:
    """A list of maps that are known now; their values may be unknown."""
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise ValueError(f"{what} is a list of maps that are known before apply")
    return value


def _interfaces(properties: dict[str, Any], value: Any) -> None:
    found = []
    for entry in map(_one_address, sorted(_maps(value, "NetworkInterfaces"), key=lambda i: int(str(i.get("DeviceIndex", 0))))):
        strange = entry.keys() - _INTERFACE.keys() - _INTERFACE_QUIET
        if strange:
            raise ValueError(f"NetworkInterfaces has {', '.join(sorted(strange))}, which is not supported")
        found.append({_INTERFACE[k]: v for k, v in entry.items() if k in _INTERFACE})
        if entry.get("GroupSet") is not None:
            _groups(properties, entry["GroupSet"])
    properties["networks"] = found


def _one_address(entry: dict[str, Any]) -> dict[str, Any]:
    """EC2's list of addresses of an interface, where it has just one."""
    several = entry.get("PrivateIpAddresses")
    if isinstance(several, list) and len(several) == 1 and isinstance(several[0], dict) and "PrivateIpAddress" in several[0]:
        return {**{k: v for k, v in entry.items() if k != "PrivateIpAddresses"}, "PrivateIpAddress": several[0]["PrivateIpAddress"]}
    return entry


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
    for entry in _maps(value, "a block device mapping"):
        boots = str(entry.get("boot_index", "")) == "0" or entry.get("device_name") in ("vda", "/dev/vda")
        if entry.get("volume_id") is not None:
            bus = {"bus": entry["disk_bus"]} if entry.get("disk_bus") else {}
            properties.setdefault("volumes", []).append({"volume": entry["volume_id"], "boot": boots, **bus})
        elif boots and (entry.get("image") or entry.get("image_id")) is not None:
            properties["image"] = entry.get("image") or entry["image_id"]
            if entry.get("volume_size") is not None:
                properties["disk"] = entry["volume_size"]
        else:
            raise ValueError("a block device is a volume (volume_id), or the root disk of an image; make other disks by OS::Cinder::Volume")


def _ec2_devices(properties: dict[str, Any], value: Any) -> None:
    """EC2's BlockDeviceMappings: the size of the root device; other devices are made as AWS::EC2::Volume."""
    for entry in _maps(value, "BlockDeviceMappings"):
        name, ebs = entry.get("DeviceName"), entry.get("Ebs") or {}
        if not isinstance(ebs, dict):
            raise ValueError("Ebs is a map that is known before apply")
        if name in ("/dev/sda1", "/dev/xvda", "/dev/sda"):
            if ebs.get("SnapshotId") is not None:
                raise ValueError("a root device cannot be made of a snapshot; name an image")
            if ebs.get("VolumeSize") is not None:
                properties["disk"] = int(ebs["VolumeSize"]) if isinstance(ebs["VolumeSize"], str) else ebs["VolumeSize"]
        elif isinstance(name, str) and not str(entry.get("VirtualName", "")).startswith("ephemeral") and "NoDevice" not in entry:
            raise ValueError(f"the block device {name} cannot be mapped: make it by AWS::EC2::Volume and AWS::EC2::VolumeAttachment")


def _ec2_volumes(properties: dict[str, Any], value: Any) -> None:
    properties["volumes"] = [{"volume": v.get("VolumeId")} for v in _maps(value, "Volumes")]


def _cpu(properties: dict[str, Any], value: Any) -> None:
    """EC2's cores and threads of a core, which are its vCPUs."""
    if not isinstance(value, dict):
        raise ValueError("CpuOptions is a map that is known before apply")
    cores, threads = int(value.get("CoreCount") or 1), int(value.get("ThreadsPerCore") or 1)
    properties["vcpus"], properties["cpu"] = cores * threads, {"cores": cores, "threads": threads}


def _metadata_options(properties: dict[str, Any], value: Any) -> None:
    """EC2's MetadataOptions; a hop limit, and whether IPv6 asks, mean nothing here."""
    if not isinstance(value, dict):
        raise ValueError("MetadataOptions is a map that is known before apply")
    strange = value.keys() - {"HttpEndpoint", "HttpTokens", "HttpPutResponseHopLimit", "HttpProtocolIpv6", "InstanceMetadataTags"}
    if strange:
        raise ValueError(f"MetadataOptions has no {', '.join(sorted(strange))}")
    found = {"enabled": value.get("HttpEndpoint") != "disabled", "tokens": value.get("HttpTokens"), "tags": value.get("InstanceMetadataTags") == "enabled"}
    properties["metadata_service"] = {k: v for k, v in found.items() if v is not None}


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
    """Security groups; ``default`` is both clouds' group of whoever names none, and filters nothing here."""
    if isinstance(value, list) and "default" in value:
        properties.setdefault("$notices", []).append((NAMED, ""))
    properties["security_groups"] = [g for g in value if g != "default"] if isinstance(value, list) else value


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
    _hints(properties, {e.get("Key"): e.get("Value") for e in _maps(value, "NovaSchedulerHints")})


def _group(properties: dict[str, Any], value: Any) -> None:
    _placement(properties)["groups"] = [value]


_TAKERS: dict[str, Callable[[dict[str, Any], Any], None]] = {
    "$networks": _networks, "$interfaces": _interfaces, "$subnet": _subnet, "$address": _address, "$tags": _tags,
    "$nova_devices": _nova_devices, "$ec2_devices": _ec2_devices, "$ec2_volumes": _ec2_volumes,
    "$user_data_update": _user_data_update, "$groups": _groups, "$cpu": _cpu, "$metadata_options": _metadata_options,
    "$check": _check, "$config_drive": _config_drive,
    "$zone": _zone, "$hints": _hints, "$hint_list": _hint_list, "$group": _group,
}  # fmt: skip
