"""The one module that a resource type may import.

A type is a folder with ``schema.json``, ``handler.py`` (or ``__init__.py``) that defines one subclass of
:class:`ResourceType`, XML templates and ``dialects.yaml``. The engine does the rest: validation, defaults, diff, identity,
order, journal, retries, events, deletion policies. Handlers set wanted values, never deltas, so every method can be run again.
"""

from stackengine.model.allowed import Allowed
from stackengine.model.desired import Power
from stackengine.model.instance import Claim
from stackengine.model.values import SecretRef, Sensitive, Unknown, Value, has_unknown
from stackengine.sdk.addresses import Range, floating_entry, free_addresses, free_subnets, further_addresses, normal_subnet, subnet_range, take_address
from stackengine.sdk.attempts import Attempt, listening, tell
from stackengine.sdk.context import Context, Identities, pause
from stackengine.sdk.errors import (
    AgentError,
    Cancelled,
    ExistsError,
    FailedError,
    HostError,
    NotFoundError,
    RefusedError,
    TransientError,
    UnreachableError,
    UnsupportedError,
)
from stackengine.sdk.facts import (
    Contributed,
    Contribution,
    Demand,
    Described,
    Draft,
    Effect,
    Gate,
    Implied,
    Properties,
    Referred,
    Refusal,
    Uses,
    known,
    known_list,
    resource_of,
    text_matches,
)
from stackengine.sdk.host import DomainInfo, FilterInfo, Host, NetworkInfo, PoolInfo, Profile, VolumeInfo
from stackengine.sdk.resource_type import DRIFT, ResourceType, changed
from stackengine.sdk.volumes import copy_name, ensure_content, ensure_copy, ensure_volume, keep_copy, record_of, remove_volume, serial_of, volume_xml

__all__ = [
    "DRIFT",
    "AgentError",
    "Allowed",
    "Attempt",
    "Cancelled",
    "Claim",
    "Context",
    "Contributed",
    "Contribution",
    "Demand",
    "Described",
    "DomainInfo",
    "Draft",
    "Effect",
    "ExistsError",
    "FailedError",
    "FilterInfo",
    "Gate",
    "Host",
    "HostError",
    "Identities",
    "Implied",
    "NetworkInfo",
    "NotFoundError",
    "PoolInfo",
    "Power",
    "Profile",
    "Properties",
    "Range",
    "Referred",
    "Refusal",
    "RefusedError",
    "ResourceType",
    "SecretRef",
    "Sensitive",
    "TransientError",
    "Unknown",
    "UnreachableError",
    "UnsupportedError",
    "Uses",
    "Value",
    "VolumeInfo",
    "changed",
    "copy_name",
    "ensure_content",
    "ensure_copy",
    "ensure_volume",
    "floating_entry",
    "free_addresses",
    "free_subnets",
    "further_addresses",
    "has_unknown",
    "keep_copy",
    "known",
    "known_list",
    "listening",
    "normal_subnet",
    "pause",
    "record_of",
    "remove_volume",
    "resource_of",
    "serial_of",
    "subnet_range",
    "take_address",
    "tell",
    "text_matches",
    "volume_xml",
]
