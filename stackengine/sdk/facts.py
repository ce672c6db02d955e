"""What a resource type tells the plan: gates, contributions, implied resources, demands, refusals."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from stackengine.model import patterns
from stackengine.model.expr import Attr, Ref
from stackengine.model.values import Unknown, Value

Properties = Mapping[str, Any]
Effect = Literal["none", "live", "reboot", "replace"]
"""How a change is applied, weakest first; ``classify`` may only strengthen what the schema says."""


def known_list(value: Any) -> list[Any]:
    """``value`` when it is a list that is known now, else an empty one: for pure methods, whose values may be Unknown."""
    return value if isinstance(value, list) else []


def known(value: Any, default: Any) -> Any:
    """``value`` when it is there and known now, else ``default``: for pure methods, whose values may be Unknown."""
    return default if value is None or isinstance(value, Unknown) else value


def named(value: Any) -> str:
    """What a reference names, for people: what is known only later has no name yet, or is no reference."""
    return f" {value}" if isinstance(value, str) and value else ""


def handle_id(value: Any) -> str:
    """The physical id of a wait condition's handle: ``value`` itself, or the last but one part of its URL (CloudFormation's Ref of a handle is a URL)."""
    return str(value).split("/")[-2] if "/" in str(value) else str(value)


def resource_of(value: Value) -> Value:
    """A reference to the resource itself, where ``value`` is an attribute of one that is not known yet; else ``value``.

    For ``translate``: where a language's bare reference gives content (Heat's SoftwareConfig) but the resource is meant.
    """
    if isinstance(value, Unknown) and isinstance(value.expr, Attr):
        return Unknown(Ref(value.expr.target, value.expr.mark))
    return value


@dataclass(frozen=True, slots=True)
class Gate:
    """When a configured object counts as ready. ``timeout`` is seconds, counted from *configured*."""

    kind: Literal["running", "lease", "agent", "tcp", "cloud-init", "signal"]
    timeout: float = 600.0
    uuid: str = ""
    """The domain that is watched (all kinds but signal)."""
    macs: tuple[str, ...] = ()
    address: str = ""
    port: int = 0
    handle: str = ""
    """signal: the physical id of the handle whose signals count."""
    count: int = 1


@dataclass(frozen=True, slots=True)
class Contribution:
    """Something that a resource adds to another (a port's reservation to its network), known before anything runs.

    ``target`` is the physical id of the other; it receives all contributions of one ``key`` as a list sorted by ``order``.
    """

    target: str
    key: str
    value: dict[str, Value]
    order: str = ""


@dataclass(frozen=True, slots=True)
class Contributed:
    """Inside a contribution's value: the list that another resource (by physical id) receives under ``key`` in the same plan.

    So what one resource is made of can depend on what a third one was given (a server on its port's groups), and is recorded with it.
    A contribution whose list is empty counts for nothing.
    """

    target: Value
    key: str


@dataclass(frozen=True, slots=True)
class Implied:
    """A resource that another brings with it (the image of a server that names one); made once per path and stack."""

    path: str
    type: str
    properties: dict[str, Value]
    via: str
    """The property that brings it."""
    shape: Callable[[Value], Value] | None = None
    """What the property becomes, made of a reference to the resource; None: the reference itself."""
    own: bool = False
    """Of that resource alone, and deleted as it is: ``path`` is a name below its path (web:sdf)."""
    keep: bool = False
    """Of one that is ``own``: it stays when it is removed."""
    at: str = ""
    """Where the template says it (a dotted path); empty: at ``via``."""


@dataclass(frozen=True, slots=True)
class Inert:
    """Something that a template says and that has no effect: ``translate`` hands these on as ``$inert``, each is told where it stands (V106)."""

    prop: str
    """A dotted path below the name under which ``translate`` found it (``$devices.0.type``)."""
    why: str


@dataclass(frozen=True, slots=True)
class Demand:
    """Capacity that a resource takes on its host; memory in MiB, disk in bytes."""

    vcpus: int = 0
    memory: int = 0
    disk: int = 0


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a host would refuse or silently ignore a property; ``prop`` is a dotted path."""

    prop: str
    reason: str
    hint: str = ""
    severity: Literal["error", "warning", "notice"] = "error"


@dataclass(frozen=True, slots=True)
class Described:
    """An object that is on a host, in the words of its type."""

    identity: Mapping[str, Any]
    """Holds ``physical_id``."""
    properties: Mapping[str, Any]
    """As a template would say them."""
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Uses:
    """In a :class:`Draft`: a reference to another object on the host; ``where`` are properties that say where it is (a volume's pool)."""

    type: str
    id: str
    where: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Draft:
    """What a template would say of an object that is on a host."""

    id: str
    """By which it is imported."""
    name: str
    """For people; its logical id is made of it."""
    properties: Mapping[str, Any]
    """As a template says them; :class:`Uses` where it refers to another object."""
    unsaid: tuple[str, ...] = ()
    """Why it cannot be taken over: what the type has no words for, or whose it is already."""


@dataclass(frozen=True, slots=True)
class Referred:
    """What a reference points at: known from the plan or the journal."""

    path: str
    type: str
    physical_id: str
    identity: Mapping[str, Any]
    properties: Mapping[str, Any]
    attributes: Mapping[str, Any] = field(default_factory=dict)
    going: bool = False
    """Whether the same plan deletes it: then there is no need to be gentle with it."""
    external: bool = False
    """Whether it is not the stack's: it is used, and never changed."""


def text_matches(pattern: str, text: str) -> bool:
    """Whether a regular expression of a template matches the whole of a text; ValueError for no expression, and for one that takes too long."""
    return patterns.found(pattern, text, "fullmatch") is not None
