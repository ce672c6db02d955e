"""The base class of resource types."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from stackengine.model.values import Value
from stackengine.sdk.context import Context, Identities
from stackengine.sdk.errors import UnsupportedError
from stackengine.sdk.facts import Contribution, Demand, Described, Draft, Effect, Gate, Implied, Properties, Refusal
from stackengine.sdk.host import Host, Profile
from stackengine.sdk.volumes import bring_back, remove_volume, take_copy

Disks = Sequence[tuple[str, str, str]]
"""(pool, volume, volume with its copy)."""

DRIFT = "$drift"
"""A key of what ``read`` returns: differences that are no property of its own, each ``{"prop", "expected", "found"}`` and perhaps ``effect``
(of putting it right; left out: live), ``why`` or ``note`` (true: it is shown, and nothing can be done about it here)."""


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

    traceless: ClassVar[bool] = False
    """It leaves nothing on the host by which ``read`` could tell that it was made (a script that ran in a guest)."""

    carries: ClassVar[bool] = False
    """Its objects carry a record of themselves (``Context.ownership``, ``Context.record``), by which a lost database is rebuilt."""

    movable: ClassVar[bool] = False
    """An object goes from one host to another as it is (``move``); otherwise another one is made there."""

    # pure, used by the plan

    def identify(self, ids: Identities, want: Properties) -> dict[str, Any]:
        """Choose the identity; must hold ``physical_id``. Its keys are attributes that are known before anything runs."""
        return {"physical_id": ids.name()}

    def revised(
        self, ids: Identities, identity: Mapping[str, Any], attributes: Mapping[str, Value], last: Properties, want: Properties
    ) -> Mapping[str, Any]:
        """The identity after an update in place, for types with parts that come and go (a server's interfaces).

        What the object itself is known by (``physical_id``, ``uuid``, ``name``) stays, and so do parts that stay. What it claims is claimed besides
        what was claimed before, until the object is gone. RefusedError when it cannot be had.
        """
        return identity

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

    def effects(self, last: Properties, want: Properties, profile: Profile) -> Mapping[str, Effect]:
        """Like ``classify``, for changes whose effect depends on other properties too (memory within its maximum): property -> effect."""
        return {}

    def lasting(self, last: Properties, want: Properties) -> list[Refusal]:
        """Changes that can be applied neither in place nor by a replacement without loss (a volume does not shrink).

        ``up`` refuses them; a rollback leaves the property as it is, and says so.
        """
        return []

    def unrestored(self, last: Properties, want: Properties) -> list[str]:
        """What an update in place does that a rollback does not take back, as sentences for the plan (besides :meth:`lasting`)."""
        return []

    def rewrites(self, identity: Mapping[str, Any], last: Properties, want: Properties) -> list[tuple[str, str]]:
        """Disks (pool, volume) that a change in place from ``last`` to ``want`` grows or writes over: a copy of each is taken first.

        A value that is not known yet counts as one that changes.
        """
        return []

    def guests(self, identity: Mapping[str, Any], last: Properties) -> list[str]:
        """Physical ids of guests that use what this one holds, by means of it (an attachment's server)."""
        return []

    def check(self, want: Properties) -> list[Refusal]:
        """What is wrong whatever the host is: rules between properties, names that mean nothing. References are still Unknown here."""
        return []

    def refuse(self, want: Properties, profile: Profile) -> list[Refusal]:
        """What this host would refuse or silently ignore; ``want`` holds what other resources contribute, too."""
        return []

    def gate(self, identity: Mapping[str, Any], want: Properties) -> Gate | None:
        """When it is ready; None: as soon as it is configured."""
        return None

    def staying(self, want: Properties) -> str:
        """Of a movable type: why this object cannot move all the same; empty where it can."""
        return ""

    def holds_data(self, want: Properties) -> bool:
        """Whether deleting it loses what users wrote (servers, volumes)."""
        return False

    def copies(self, identity: Mapping[str, Any], last: Properties) -> list[str]:
        """Where ``snapshot`` leaves copies (``pool/volume``); empty: of this type no copy can be kept."""
        return []

    def adopt(self, host: Host, physical_id: str, identity: Mapping[str, Any], want: Properties) -> tuple[dict[str, Any], dict[str, Value]] | None:
        """Identity and attributes of an object that is on the host and nobody's; ``identity`` is what would be chosen for a new one.

        None: of this type nothing can be adopted. HostError when it is not there, belongs to somebody, or cannot be what the template says.
        """
        return None

    def describe(self, host: Host, physical_id: str, want: Properties) -> Described | None:
        """What an object on the host is, in the words of this type; ``want`` says where to look, as far as a template does (a volume's pool).

        None: of this type no object can be described. NotFoundError when it is not there. It may belong to anybody.
        """
        return None

    def unowned(self, host: Host) -> list[str]:
        """Ids of the objects on the host that are nobody's, and that a template of them would begin with."""
        return []

    def draft(self, host: Host, physical_id: str, where: Properties) -> Draft | None:
        """What a template would say of an object that is on the host; None: of this type nothing can be imported. NotFoundError when it is not there."""
        return None

    # run by the walk

    @abstractmethod
    def create(self, ctx: Context, want: Properties) -> dict[str, Value]:
        """Make it, or finish making it: it may be there already, whole or half. Returns attributes."""

    @abstractmethod
    def read(self, ctx: Context, last: Properties) -> dict[str, Value] | None:
        """Observed properties (those that can be read; only keys that were set are compared), with what else differs under ``DRIFT``; None when it is gone."""

    @abstractmethod
    def delete(self, ctx: Context, last: Properties) -> None:
        """Remove it; no error when it is gone."""

    def update(self, ctx: Context, want: Properties, last: Properties) -> dict[str, Value]:
        """Change it in place; returns attributes. The default makes it again, for types whose create sets everything."""
        return self.create(ctx, want)

    def move(self, ctx: Context, want: Properties) -> dict[str, Value]:
        """Bring it from ``ctx.origin`` to ``ctx.host``; returns attributes. An earlier try may have stopped anywhere: it may be at either end."""
        raise UnsupportedError(f"a {self.name} stays on its host")

    def stop(self, ctx: Context, last: Properties) -> None:  # noqa: B027  (most types have nothing exclusive)
        """Give up what is exclusive, keeping definition and disks (hand-over). Create or update starts it again."""

    def release(self, ctx: Context, last: Properties, of: str) -> None:
        """Let go of the instance with physical id ``of``, which is about to be deleted early."""
        self.stop(ctx, last)

    def snapshot(self, ctx: Context, last: Properties) -> None:  # noqa: B027  (only types with ``copies`` need it)
        """Leave a copy of the data on the host, at the places of ``copies``; the object is deleted next. May run again after half of it."""

    def take_copies(self, ctx: Context, disks: Disks) -> None:
        """Copy disks (pool, volume, copy) that are about to be grown or written over, also under a guest that runs. May run again after half of it."""
        for pool, name, copy in disks:
            take_copy(ctx, pool, name, copy, str(ctx.identity.get("secret") or ""))

    def bring_back(self, ctx: Context, last: Properties, disks: Disks) -> None:
        """Give disks the size and the content of their copies again, which stay; nobody uses the disks. May run again after half of it."""
        for pool, name, copy in disks:
            bring_back(ctx, pool, name, copy, str(ctx.identity.get("secret") or ""))

    def drop_copies(self, ctx: Context, disks: Disks) -> None:
        """Delete copies; no error when they are gone."""
        for pool, _, copy in disks:
            remove_volume(ctx, pool, copy)

    def ready(self, ctx: Context, want: Properties, received: list[dict[str, Any]]) -> dict[str, Value]:
        """Attributes that only the gate brings (a wait condition's data)."""
        return {}


class RecordType(ResourceType):
    """A type of which nothing is on a host: what is recorded is all there is of it. ``create`` is its own where it makes attributes."""

    inline: ClassVar[bool] = True

    def create(self, ctx: Context, want: Properties) -> dict[str, Value]:
        """No attributes besides its identity."""
        return {}

    def read(self, ctx: Context, last: Properties) -> dict[str, Value] | None:
        """It is there, and nothing of it can be seen."""
        return {}

    def delete(self, ctx: Context, last: Properties) -> None:
        """The log says that it is gone."""
        return


def changed(want: Properties, last: Properties) -> Iterator[str]:
    """Names of top-level properties that differ."""
    return (k for k in {**want, **last} if want.get(k) != last.get(k))
