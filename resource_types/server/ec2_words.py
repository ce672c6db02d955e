"""EC2's ways to say interfaces, block devices and processors. Source: CloudFormation's reference of AWS::EC2::Instance."""

from __future__ import annotations

from typing import Any

from stackengine import sdk

from .wished import wished
from .words import in_groups, maps, place, tell

_INTERFACE = {"NetworkInterfaceId": "port", "SubnetId": "subnet", "PrivateIpAddress": "address"}
_TAKEN_UP = frozenset({"DeviceIndex", "GroupSet"})
_NO_EFFECT = {
    "AssociatePublicIpAddress": "guests are reached under the host's addresses: an elastic IP, or SE::PublishedPort",
    "AssociateCarrierIpAddress": "there are no carriers",
    "DeleteOnTermination": "an interface without a port of its own goes with its server; make a port that stays by AWS::EC2::NetworkInterface",
    "Description": "for people",
}
_USUAL = {"AssociatePublicIpAddress": "false", "AssociateCarrierIpAddress": "false", "DeleteOnTermination": "true"}
"""What is so here anyway."""
ROOTS = ("/dev/sda1", "/dev/xvda", "/dev/sda")
"""What images call the disk that they start from (EC2 user guide, device names)."""
_DISK_NO_EFFECT = {
    "VolumeType": "the pool says what kind of storage it is", "Iops": "limits are said at the disk: root_disk or volumes of SE::Server",
    "Throughput": "limits are said at the disk: root_disk or volumes of SE::Server", "KmsKeyId": "the host's libvirt keeps the key",
    "VolumeInitializationRate": "volumes are ready at once",
}  # fmt: skip
_DISK = frozenset({"VolumeSize", "SnapshotId", "Encrypted", "DeleteOnTermination", *_DISK_NO_EFFECT})


def interfaces(properties: dict[str, Any], value: Any) -> None:
    """Interfaces by their index, each with its groups; those of an only one are the server's."""
    listed = maps(value, "NetworkInterfaces")
    found: list[dict[str, Any]] = []
    for n in sorted(range(len(listed)), key=lambda n: int(str(listed[n].get("DeviceIndex", 0)))):
        at, entry = f"$interfaces.{n}", _one_address(listed[n])
        strange = entry.keys() - _INTERFACE.keys() - _TAKEN_UP - _NO_EFFECT.keys()
        if strange:
            raise sdk.UntranslatableError(f"NetworkInterfaces has {', '.join(sorted(strange))}, which is not supported", f"{at}.{min(strange)}")
        for key in sorted(_NO_EFFECT.keys() & entry.keys()):
            if entry[key] is not None and str(entry[key]).lower() != _USUAL.get(key):
                tell(properties, f"{at}.{key}", _NO_EFFECT[key])
        made = {_INTERFACE[k]: v for k, v in entry.items() if k in _INTERFACE}
        if entry.get("GroupSet") is not None:
            if made.get("port") is not None:
                why = "an interface that is there already has its groups: say GroupSet at the AWS::EC2::NetworkInterface"
                raise sdk.UntranslatableError(why, f"{at}.GroupSet")
            made["security_groups"] = in_groups(properties, entry["GroupSet"])
        for key in _INTERFACE.keys() & entry.keys():
            place(properties, f"networks.{len(found)}.{_INTERFACE[key]}", f"{at}.{key}")
        place(properties, f"networks.{len(found)}.security_groups", f"{at}.GroupSet")
        found.append(made)
    if len(found) == 1 and "security_groups" in found[0] and "$groups" not in properties:
        properties["security_groups"] = found[0].pop("security_groups")
    properties["networks"] = found


def _one_address(entry: dict[str, Any]) -> dict[str, Any]:
    """EC2's list of addresses of an interface, where it has just one."""
    several = entry.get("PrivateIpAddresses")
    if isinstance(several, list) and len(several) == 1 and isinstance(several[0], dict) and "PrivateIpAddress" in several[0]:
        return {**{k: v for k, v in entry.items() if k != "PrivateIpAddresses"}, "PrivateIpAddress": several[0]["PrivateIpAddress"]}
    return entry


def devices(properties: dict[str, Any], value: Any) -> None:
    """BlockDeviceMappings: the size of the root disk, and disks beside it, which are volumes of the stack that go with the server."""
    roots = []
    for n, entry in enumerate(maps(value, "BlockDeviceMappings")):
        at, name = f"$ec2_devices.{n}", entry.get("DeviceName")
        if not isinstance(name, str):
            raise sdk.UntranslatableError("a block device has a DeviceName that is known before apply", at)
        if "NoDevice" in entry:
            tell(properties, f"{at}.NoDevice", "no image brings devices that could be left out")
            continue
        if entry.get("VirtualName") is not None:
            tell(properties, f"{at}.VirtualName", "no host has instance store: only what Ebs says is made")
        ebs = entry.get("Ebs")
        if ebs is None and (name in ROOTS or entry.get("VirtualName") is not None):
            continue
        ebs = _ebs(properties, {} if ebs is None else ebs, f"{at}.Ebs")
        if name in ROOTS:
            roots.append(name)
            _root(properties, ebs, f"{at}.Ebs")
        else:
            others = properties.setdefault("volumes", [])
            place(properties, f"volumes.{len(others)}", at)
            others.append(_beside(name, ebs, at))
    if len(roots) > 1:
        raise sdk.UntranslatableError(f"a server has one root disk, and {' and '.join(roots)} are names of it", "$ec2_devices")


def _ebs(properties: dict[str, Any], ebs: Any, at: str) -> dict[str, Any]:
    """What Ebs says, once what has no effect is told."""
    if not isinstance(ebs, dict):
        raise sdk.UntranslatableError("Ebs is a map that is known before apply", at)
    strange = ebs.keys() - _DISK
    if strange:
        raise sdk.UntranslatableError(f"Ebs has no {', '.join(sorted(strange))}", f"{at}.{min(strange)}")
    for key in sorted(_DISK_NO_EFFECT.keys() & ebs.keys()):
        if ebs[key] is not None:
            tell(properties, f"{at}.{key}", _DISK_NO_EFFECT[key])
    return {k: _plain(v) for k, v in ebs.items() if v is not None}


def _plain(value: Any) -> Any:
    """A number or a truth that is written as text."""
    if isinstance(value, str) and value.isdigit():
        return int(value)
    return value.lower() == "true" if isinstance(value, str) and value.lower() in ("true", "false") else value


def _root(properties: dict[str, Any], ebs: dict[str, Any], at: str) -> None:
    if ebs.get("SnapshotId") is not None:
        raise sdk.UntranslatableError("a root device cannot be made of a snapshot; name an image", f"{at}.SnapshotId")
    if ebs.get("Encrypted", False) is not False:
        why = "the root disk of a server is not encrypted here: keep what is to be encrypted on an AWS::EC2::Volume with Encrypted, and say false"
        raise sdk.UntranslatableError(why, f"{at}.Encrypted")
    if ebs.get("DeleteOnTermination", True) is not True:
        tell(properties, f"{at}.DeleteOnTermination", "a root disk goes with its server; DeletionPolicy: Snapshot keeps a copy of it")
    if ebs.get("VolumeSize") is not None:
        properties["disk"] = ebs["VolumeSize"]


def _beside(name: str, ebs: dict[str, Any], at: str) -> dict[str, Any]:
    if ebs.get("VolumeSize") is None and ebs.get("SnapshotId") is None:
        raise sdk.UntranslatableError(f"the block device {name} needs a VolumeSize or a SnapshotId", f"{at}.Ebs")
    keep = ebs.get("DeleteOnTermination", True)
    if not isinstance(keep, bool):
        raise sdk.UntranslatableError("DeleteOnTermination is true or false, and known before apply", f"{at}.Ebs.DeleteOnTermination")
    said = {"size": ebs.get("VolumeSize"), "source": ebs.get("SnapshotId"), "encrypted": ebs.get("Encrypted") or None}
    return wished(name.rpartition("/")[2], {k: v for k, v in said.items() if v is not None}, keep=not keep)


def volumes(properties: dict[str, Any], value: Any) -> None:
    """Volumes that are attached when the server starts."""
    properties.setdefault("volumes", []).extend({"volume": v.get("VolumeId")} for v in maps(value, "Volumes"))


def cpu(properties: dict[str, Any], value: Any) -> None:
    """EC2's cores and threads of a core, which are its vCPUs."""
    if not isinstance(value, dict):
        raise ValueError("CpuOptions is a map that is known before apply")
    cores, threads = int(value.get("CoreCount") or 1), int(value.get("ThreadsPerCore") or 1)
    properties["vcpus"], properties["cpu"] = cores * threads, {"cores": cores, "threads": threads}


_METADATA_NO_EFFECT = {"HttpPutResponseHopLimit": "answers of the metadata service reach the guest itself only",
                       "HttpProtocolIpv6": "the metadata service is asked over IPv4"}  # fmt: skip


def metadata_options(properties: dict[str, Any], value: Any) -> None:
    """EC2's MetadataOptions."""
    if not isinstance(value, dict):
        raise ValueError("MetadataOptions is a map that is known before apply")
    strange = value.keys() - {"HttpEndpoint", "HttpTokens", "InstanceMetadataTags"} - _METADATA_NO_EFFECT.keys()
    if strange:
        raise sdk.UntranslatableError(f"MetadataOptions has no {', '.join(sorted(strange))}", f"$metadata_options.{min(strange)}")
    for key in sorted(_METADATA_NO_EFFECT.keys() & value.keys()):
        if value[key] not in (None, "disabled"):
            tell(properties, f"$metadata_options.{key}", _METADATA_NO_EFFECT[key])
    found = {"enabled": value.get("HttpEndpoint") != "disabled", "tokens": value.get("HttpTokens"), "tags": value.get("InstanceMetadataTags") == "enabled"}
    properties["metadata_service"] = {k: v for k, v in found.items() if v is not None}
