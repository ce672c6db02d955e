"""What instances take from a launch configuration or template, in the words of an instance; what they cannot take is told.

Sources: AWS::AutoScaling::LaunchConfiguration, AWS::EC2::LaunchTemplate LaunchTemplateData.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from stackengine.model.diagnostics import Diagnostics
from stackengine.model.expr import Entry, Expr, If, List, Literal, Map
from stackengine.model.template import Resource

CONFIGURATION, TEMPLATE = "AWS::AutoScaling::LaunchConfiguration", "AWS::EC2::LaunchTemplate"
_BOTH = frozenset({"ImageId", "InstanceType", "KeyName", "UserData", "SecurityGroups", "BlockDeviceMappings", "EbsOptimized", "MetadataOptions"})
_TAKEN = {
    CONFIGURATION: _BOTH | {"IamInstanceProfile", "NovaSchedulerHints"},
    TEMPLATE: _BOTH | {"SecurityGroupIds", "NetworkInterfaces", "CpuOptions", "DisableApiTermination", "InstanceInitiatedShutdownBehavior",
                       "KernelId", "RamDiskId", "EnclaveOptions"},
}  # fmt: skip
"""What both call alike; the rest of a configuration is told at the configuration itself."""
_PLACEMENT = {"GroupName": "PlacementGroupName", "AvailabilityZone": "AvailabilityZone", "HostId": "HostId", "Tenancy": "Tenancy", "Affinity": "Affinity",
              "HostResourceGroupArn": "HostResourceGroupArn"}  # fmt: skip
_WHY = {
    "IamInstanceProfile": "there are no roles: the guest gets no credentials",
    "Monitoring": "no metrics are kept",
    "InstanceMarketOptions": "nothing is billed",
    "CreditSpecification": "vCPUs are not metered",
    "CapacityReservationSpecification": "there are no reservations of capacity",
    "HibernationOptions": "not used",
    "LicenseSpecifications": "nothing is licensed",
    "InstanceRequirements": "sizes are not chosen: say an InstanceType",
    "TagSpecifications": "tags of other things than instances, or those that an expression chooses, are not kept",
}
_OTHERWISE = "an instance has nothing like it here"
_RENAMED = {"NetworkInterfaces": {"Groups": "GroupSet"}}
_NOT_OF_INSTANCES = {
    "NetworkInterfaces": dict.fromkeys(("InterfaceType", "NetworkCardIndex", "EnaSrdSpecification", "ConnectionTrackingSpecification", "EnaQueueCount"),
                                       "interfaces are virtio"),
    "BlockDeviceMappings": {"Throughput": "limits are said at the disk: root_disk or volumes of SE::Server", "EbsCardIndex": "there is one bus",
                            "VolumeInitializationRate": "volumes are ready at once"},
}  # fmt: skip
"""Keys that launch templates have there and instances do not, and why they have no effect."""


def taken(launch: Resource, diagnostics: Diagnostics) -> list[Entry]:
    """What an instance takes over."""
    inner: Expr | None = launch.properties if launch.type == CONFIGURATION else launch.properties.get("LaunchTemplateData")
    found: list[Entry] = []
    for entry in inner.entries if isinstance(inner, Map) else ():
        if entry.key in _TAKEN[launch.type]:
            told = _Told(diagnostics, entry.key)
            found.append(entry._replace(value=told.fitted(entry.value, entry.key)) if launch.type == TEMPLATE else entry)
        elif launch.type == TEMPLATE:
            found += _in_other_words(entry, _Told(diagnostics, entry.key))
    return found


class _Told:
    """Tells what has no effect, below one key of a launch template."""

    def __init__(self, diagnostics: Diagnostics, key: str) -> None:
        self._diagnostics, self._key = diagnostics, key

    def __call__(self, why: str, entry: Entry, below: str = "") -> None:
        name = f"{self._key}.{below}" if below else self._key
        self._diagnostics.notice("V122", f"{TEMPLATE}.LaunchTemplateData.{name} has no effect: {why}", entry.key_mark)

    def fitted(self, expr: Expr, within: str) -> Expr:
        """``expr`` with the keys that instances have, at any depth and in every branch."""
        idle: Mapping[str, str] = _NOT_OF_INSTANCES.get(within, {})
        renamed = _RENAMED.get(within, {})
        if isinstance(expr, Map):
            for entry in expr.entries:
                if entry.key in idle:
                    self(idle[entry.key], entry, entry.key)
            kept = [e._replace(key=renamed.get(e.key, e.key), value=self.fitted(e.value, within)) for e in expr.entries if e.key not in idle]
            return Map(tuple(kept), expr.mark)
        return _within(expr, lambda inner: self.fitted(inner, within))


def _within(expr: Expr, change: Callable[[Expr], Expr]) -> Expr:
    """A list with changed items, or a choice with changed branches."""
    if isinstance(expr, List):
        return List(tuple(map(change, expr.items)), expr.mark)
    if isinstance(expr, If):
        return replace(expr, then=change(expr.then), otherwise=change(expr.otherwise))
    return expr


def _in_other_words(entry: Entry, told: _Told) -> list[Entry]:
    if entry.key == "TagSpecifications" and isinstance(entry.value, List):
        return _tags(entry, entry.value, told)
    if entry.key == "Placement" and isinstance(entry.value, Map):
        for other in entry.value.entries:
            if other.key not in _PLACEMENT:
                told(_OTHERWISE, other, other.key)
        return [e._replace(key=_PLACEMENT[e.key]) for e in entry.value.entries if e.key in _PLACEMENT]
    told(_WHY.get(entry.key, _OTHERWISE), entry)
    return []


def _tags(entry: Entry, specifications: List, told: _Told) -> list[Entry]:
    """Tags of instances."""
    found: list[Expr] = []
    for one in specifications.items:
        kind, tags = (one.get("ResourceType"), one.get("Tags")) if isinstance(one, Map) else (None, None)
        if isinstance(kind, Literal) and kind.value == "instance" and isinstance(tags, List):
            found += tags.items
        else:
            told(_WHY[entry.key], entry._replace(key_mark=one.mark))
    return [Entry("Tags", entry.key_mark, List(tuple(found), specifications.mark))] if found else []


def on_subnet(interfaces: Expr, subnet: Expr) -> Expr:
    """Interfaces of a group's member: those that say neither subnet nor interface are on the group's."""
    if isinstance(interfaces, Map):
        said = any(interfaces.get(key) is not None for key in ("SubnetId", "NetworkInterfaceId"))
        return interfaces if said else Map((*interfaces.entries, Entry("SubnetId", subnet.mark, subnet)), interfaces.mark)
    return _within(interfaces, lambda inner: on_subnet(inner, subnet))
