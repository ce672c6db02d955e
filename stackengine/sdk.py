"""The one module that a resource type may import.

A type is a folder with ``schema.json``, ``handler.py`` (or ``__init__.py``) that defines one subclass of
:class:`ResourceType`, XML templates and ``dialects.yaml``. The engine does the rest: validation, defaults, diff, identity,
order, journal, retries, events, deletion policies. Handlers set wanted values, never deltas, so every method can be run again.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO, ClassVar, Literal, Protocol, TypeVar

from stackengine.model.desired import Power
from stackengine.model.instance import Claim
from stackengine.model.values import SecretRef, Sensitive, Unknown, Value, has_unknown

__all__ = [
    "AgentError",
    "Cancelled",
    "Claim",
    "Context",
    "Contribution",
    "Demand",
    "DomainInfo",
    "Effect",
    "ExistsError",
    "FailedError",
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
    "Value",
    "VolumeInfo",
    "has_unknown",
]

T = TypeVar("T")
Properties = Mapping[str, Any]
Effect = Literal["none", "live", "reboot", "replace"]
"""How a change is applied, weakest first; ``classify`` may only strengthen what the schema says."""


class HostError(Exception):
    """A host call failed. ``code`` is libvirt's error number (virErrorNumber) or 0; ``call`` is the libvirt call."""

    def __init__(self, message: str, *, code: int = 0, host: str = "", call: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.code, self.host, self.call, self.hint = code, host, call, hint


class NotFoundError(HostError):
    """The object is not there (only NO_DOMAIN, NO_NETWORK, NO_STORAGE_POOL, NO_STORAGE_VOL, NO_NWFILTER… say so)."""


class ExistsError(HostError):
    """The name, UUID or path is taken by something else."""


class RefusedError(HostError):
    """The host understood and refuses: invalid, in use, wrong state, no room."""


class UnsupportedError(HostError):
    """The driver cannot do this."""


class TransientError(HostError):
    """It may work when tried again (timeout, lock not acquired, connection reset)."""


class UnreachableError(HostError):
    """The host does not answer."""


class AgentError(HostError):
    """The guest agent does not answer (yet)."""


class FailedError(Exception):
    """The resource itself failed (a signal said FAILURE, a gate timed out); ``tail`` is what to show with it."""

    def __init__(self, message: str, *, tail: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.tail, self.hint = tail, hint


class Cancelled(Exception):
    """The operation was cancelled or its lease was lost: stop at once, start no further host call."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What a host's driver can do in one guest mode; the plan refuses beforehand what the host would refuse or ignore."""

    mode: str
    """``kvm``, ``qemu``, ``xen-pv``, ``xen-pvh``, ``xen-hvm``, ``lxc``, ``test`` or ``memory``."""
    domain_type: str
    """The ``type`` of ``<domain>`` (``kvm``, ``qemu``, ``xen``, ``lxc``, ``test``)."""
    arch: str = "x86_64"
    machine: str = ""
    features: frozenset[str] = frozenset()
    """Of: agent, channel, hotplug-disk, hotplug-nic, set-memory-live, set-vcpus-live, uefi, tpm, nwfilter, bandwidth, snapshot, save,
    resize-live, leases, signals-http, console-log, metadata, upload, publish."""
    undefine_flags: int = 0
    local: bool = True
    """Whether the host is this machine (then HTTP signals can be received on a network's gateway address)."""


@dataclass(frozen=True, slots=True)
class DomainInfo:
    """A domain as read; ``state`` is running, paused, shutoff, crashed, saved (shut off with a managed save image)."""

    uuid: str
    name: str
    state: str
    xml: str
    """Inactive XML (VIR_DOMAIN_XML_INACTIVE)."""
    live_xml: str = ""
    memory_kib: int = 0
    vcpus: int = 0


@dataclass(frozen=True, slots=True)
class NetworkInfo:
    """A network as read."""

    uuid: str
    name: str
    active: bool
    autostart: bool
    bridge: str
    xml: str


@dataclass(frozen=True, slots=True)
class VolumeInfo:
    """A volume as read; sizes in bytes."""

    pool: str
    name: str
    path: str
    format: str
    capacity: int
    allocation: int
    backing: str = ""


@dataclass(frozen=True, slots=True)
class PoolInfo:
    """A storage pool as read; sizes in bytes."""

    name: str
    type: str
    active: bool
    capacity: int
    available: int
    path: str = ""


class Host(Protocol):
    """The typed face of a host; memory, libvirt and private hosts all have it. Every method may raise :class:`HostError`.

    XML is libvirt's. ``*_define`` with a known UUID redefines; lookups return None for what is not there. Calls of one host
    may come from several threads.
    """

    name: str
    uri: str
    profile: Profile

    # domains, by UUID
    def domain_define(self, xml: str) -> DomainInfo:
        """virDomainDefineXMLFlags(VALIDATE); redefines over the same UUID, never undefines."""

    def domain_start(self, uuid: str) -> None:
        """virDomainCreate; no error when it runs already."""

    def domain_shutdown(self, uuid: str, timeout: float, check: Callable[[], None]) -> None:
        """Agent, then ACPI, then destroy when ``timeout`` seconds are over; ``check`` is called while waiting and may raise."""

    def domain_destroy(self, uuid: str) -> None:
        """virDomainDestroy; no error when it does not run or is not there."""

    def domain_reboot(self, uuid: str, timeout: float, check: Callable[[], None]) -> None:
        """Shut down and start again, so that the inactive definition takes effect."""

    def domain_undefine(self, uuid: str) -> None:
        """virDomainUndefineFlags with the profile's whole flag set; no error when it is not there."""

    def domain_info(self, uuid: str) -> DomainInfo | None:
        """The domain, or None."""

    def domain_list(self) -> list[DomainInfo]:
        """All domains, without live XML."""

    def domain_attach(self, uuid: str, device_xml: str) -> None:
        """virDomainAttachDeviceFlags, config and, when it runs, live; no error when a device of that alias and content is there."""

    def domain_detach(self, uuid: str, alias: str) -> None:
        """Detach the device with this user alias, config and live, and wait until the guest has let go (DEVICE_REMOVED)."""

    def domain_set_memory(self, uuid: str, kib: int) -> None:
        """virDomainSetMemoryFlags, live and config (balloon, below the maximum)."""

    def domain_set_vcpus(self, uuid: str, count: int) -> None:
        """virDomainSetVcpusFlags, live and config (up to the maximum)."""

    def domain_set_metadata(self, uuid: str, xml: str) -> None:
        """virDomainSetMetadata(ELEMENT) under our namespace, live and config."""

    def domain_addresses(self, uuid: str) -> list[tuple[str, str]]:
        """(MAC, address) pairs from leases of our networks and, when it answers, the agent."""

    def domain_agent(self, uuid: str, command: Mapping[str, Any], timeout: float = 5) -> Any:
        """qemuAgentCommand; returns the ``return`` member; :class:`AgentError` while it does not answer."""

    def domain_console_tail(self, uuid: str, limit: int = 4096) -> str:
        """The last ``limit`` bytes of the console log, decoded with replacement; empty where there is none."""

    # networks, by UUID
    def network_define(self, xml: str) -> NetworkInfo:
        """virNetworkDefineXML; with a known UUID redefines."""

    def network_start(self, uuid: str, *, autostart: bool = True) -> None:
        """virNetworkCreate (and autostart); no error when it is active."""

    def network_destroy(self, uuid: str) -> None:
        """virNetworkDestroy; no error when it is not active or not there."""

    def network_undefine(self, uuid: str) -> None:
        """virNetworkUndefine; no error when it is not there."""

    def network_info(self, uuid: str) -> NetworkInfo | None:
        """The network, or None."""

    def network_list(self) -> list[NetworkInfo]:
        """All networks."""

    def network_update(self, uuid: str, command: str, section: str, xml: str) -> None:
        """virNetworkUpdate, live and config; command: add, modify, delete; section: ip-dhcp-host, dns-host, …. Idempotent."""

    def network_leases(self, uuid: str) -> list[tuple[str, str]]:
        """(MAC, address) pairs of virNetworkGetDHCPLeases."""

    # pools and volumes, by pool and name
    def pool_info(self, pool: str) -> PoolInfo | None:
        """The pool, or None."""

    def volume_create(self, pool: str, xml: str) -> VolumeInfo:
        """virStorageVolCreateXML; :class:`ExistsError` when the name is taken."""

    def volume_upload(self, pool: str, name: str, data: BinaryIO, length: int, check: Callable[[], None]) -> None:
        """virStorageVolUpload of ``length`` bytes."""

    def volume_download(self, pool: str, name: str, limit: int) -> bytes:
        """The first ``limit`` bytes (virStorageVolDownload)."""

    def volume_resize(self, pool: str, name: str, capacity: int) -> None:
        """virStorageVolResize, or virDomainBlockResize where a running guest has it; shrinking is refused."""

    def volume_delete(self, pool: str, name: str) -> None:
        """virStorageVolDelete; no error when it is not there."""

    def volume_info(self, pool: str, name: str) -> VolumeInfo | None:
        """The volume, or None."""

    def volume_list(self, pool: str) -> list[VolumeInfo]:
        """All volumes of the pool."""

    # published ports (a small process of ours listens on loopback of this machine and connects to the guest)
    def publish_port(self, key: str, listen: str, port: int, target: str, target_port: int) -> None:
        """Publish; ``key`` is the owner, ``listen`` a loopback address. Idempotent."""

    def unpublish_port(self, key: str) -> None:
        """Stop publishing; no error when it is not published."""

    def published_ports(self) -> dict[str, tuple[str, int, str, int]]:
        """key -> (listen, port, target, target_port)."""


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
class Implied:
    """A resource that another brings with it (the image of a server that names one); made once per path and stack."""

    path: str
    type: str
    properties: dict[str, Value]
    via: str
    """The property that brings it."""


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
class Referred:
    """What a reference points at: known from the plan or the journal."""

    path: str
    type: str
    physical_id: str
    identity: Mapping[str, Any]
    properties: Mapping[str, Any]
    attributes: Mapping[str, Any] = field(default_factory=dict)


class Identities(Protocol):
    """How a type chooses identities: hashes of (seed of the stack, path, generation), so a plan made twice says the same."""

    stack: str
    """The stack's name."""
    path: str
    generation: int

    def uuid(self, salt: str = "") -> str:
        """A version-5 style UUID."""

    def name(self, limit: int = 60) -> str:
        """``se-STACK-PATH-HASH``, at most ``limit`` characters of ``[a-zA-Z0-9._-]``; the hash makes it unique."""

    def mac(self, salt: str = "") -> str:
        """A locally administered unicast MAC (``52:54:00`` prefix), claimed."""

    def token(self, length: int = 10, salt: str = "") -> str:
        """Lower-case letters and digits."""

    def random(self, length: int, salt: str = "") -> bytes:
        """Pseudo-random bytes; not for secrets that must survive knowledge of the seed: the seed is secret, see store."""

    def claim(self, kind: str, candidates: Iterable[str]) -> str:
        """The first candidate that nobody has on the host (claims, host facts), claimed; raises :class:`RefusedError` when none is free."""

    def referred(self, physical_id: Value) -> Referred | None:
        """The resource of the same stack that a property refers to, already chosen; None for a name from outside."""


class Context(Protocol):
    """What a handler gets while it runs."""

    host: Host
    stack: str
    """The stack's name."""
    stack_id: str
    path: str
    generation: int
    identity: Mapping[str, Any]
    attributes: Mapping[str, Any]
    """As recorded before this call (for create of a fresh instance: empty)."""
    contributed: Mapping[str, Any]
    """By key, the contributions of other resources."""

    def referred(self, physical_id: str) -> Referred | None:
        """The configured resource of this stack that a property refers to; None for a name from outside."""

    def render(self, template: str, **values: Any) -> str:
        """Render a Jinja2 template of the type's own folder; autoescaped for XML, undefined names are errors."""

    def ownership(self) -> str:
        """The ``<metadata>`` child that names store, stack and path (libvirt namespace ``urn:stackengine:1``)."""

    def progress(self, message: str) -> None:
        """Tell the log what is going on."""

    def check(self) -> None:
        """Raise :class:`Cancelled` when the operation was cancelled or its lease was lost."""

    def wait_until(self, probe: Callable[[], T | None], timeout: float, what: str) -> T:
        """Call ``probe`` until it returns something; :class:`FailedError` after ``timeout`` seconds."""

    def open_source(self, url: str, sha256: str = "") -> tuple[BinaryIO, int, str]:
        """Open an image source (file path or URL) from the engine's cache: (stream, length, sha256); a wrong checksum is a :class:`FailedError`."""


class ResourceType(ABC):
    """One resource type. ``create``, ``read`` and ``delete`` are needed; everything else has a default.

    ``want`` and ``last`` are plain JSON: defaults filled in, references resolved, secrets revealed.
    Methods without a context are pure: they see values that may still hold :class:`Unknown`.
    """

    name: ClassVar[str]
    inline: ClassVar[bool] = False
    """Its methods touch no host and take no time: they run in the walk's own thread."""
    remake_failed: ClassVar[bool] = False
    """An instance that failed is never taken again (a wait condition whose time is over): the next plan makes a new one."""

    # pure, used by the plan

    def identify(self, ids: Identities, want: Properties) -> dict[str, Any]:
        """Choose the identity; must hold ``physical_id``. Its keys are attributes that are known before anything runs."""
        return {"physical_id": ids.name()}

    def implies(self, want: Properties) -> list[Implied]:
        """Resources that this one brings with it."""
        return []

    def contribute(self, identity: Mapping[str, Any], want: Properties) -> list[Contribution]:
        """What it adds to others."""
        return []

    def exclusive(self, identity: Mapping[str, Any], want: Properties) -> frozenset[str]:
        """Things that two running objects cannot both have."""
        return frozenset()

    def fixed(self, identity: Mapping[str, Any], want: Properties) -> frozenset[str]:
        """Things that two objects cannot both have, even stopped."""
        return frozenset()

    def demand(self, want: Properties) -> Demand:
        """Capacity that it takes."""
        return Demand()

    def classify(self, prop: str, old: Value, new: Value, profile: Profile) -> Effect:
        """How a change of one top-level property is applied; may only strengthen what the schema says."""
        return "none"

    def refuse(self, want: Properties, profile: Profile) -> list[Refusal]:
        """What this host would refuse or silently ignore."""
        return []

    def gate(self, identity: Mapping[str, Any], want: Properties) -> Gate | None:
        """When it is ready; None: as soon as it is configured."""
        return None

    def holds_data(self, want: Properties) -> bool:
        """Whether deleting it loses what users wrote (servers, volumes)."""
        return False

    # run by the walk

    @abstractmethod
    def create(self, ctx: Context, want: Properties) -> dict[str, Value]:
        """Make it, or finish making it: it may be there already, whole or half. Returns attributes."""

    @abstractmethod
    def read(self, ctx: Context, last: Properties) -> dict[str, Value] | None:
        """Observed properties (those that can be read; only keys that were set are compared), or None when it is gone."""

    @abstractmethod
    def delete(self, ctx: Context, last: Properties) -> None:
        """Remove it; no error when it is gone."""

    def update(self, ctx: Context, want: Properties, last: Properties) -> dict[str, Value]:
        """Change it in place; returns attributes. The default makes it again, for types whose create sets everything."""
        return self.create(ctx, want)

    def stop(self, ctx: Context, last: Properties) -> None:  # noqa: B027  (most types have nothing exclusive)
        """Give up what is exclusive, keeping definition and disks (hand-over). Create or update starts it again."""

    def release(self, ctx: Context, last: Properties, of: str) -> None:
        """Let go of the instance with physical id ``of``, which is about to be deleted early."""
        self.stop(ctx, last)

    def ready(self, ctx: Context, want: Properties, received: list[dict[str, Any]]) -> dict[str, Value]:
        """Attributes that only the gate brings (a wait condition's data)."""
        return {}


def changed(want: Properties, last: Properties) -> Iterator[str]:
    """Names of top-level properties that differ."""
    return (k for k in {**want, **last} if want.get(k) != last.get(k))
