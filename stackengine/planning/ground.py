"""What the plan stands on besides desired and recorded state: the stack, its host, and who has what there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from stackengine.model.allowed import Pools
from stackengine.model.instance import Claim
from stackengine.sdk import Described, Profile


@dataclass(frozen=True, slots=True)
class Ground:
    """Facts gathered before planning; planning itself asks nobody."""

    stack: str
    stack_id: str
    seed: bytes
    """Secret random bytes of the stack; all identities are hashes over it."""
    host: str
    """The host's URI, as pieces and claims name it."""
    profile: Profile
    taken: frozenset[Claim] = frozenset()
    """Claims of other stacks on this host."""
    subnets: tuple[str, ...] = ()
    """Subnets that foreign networks and the host's routes use, in CIDR notation."""
    names: frozenset[str] = frozenset()
    """Names of foreign networks, bridges and domains."""
    macs: frozenset[str] = frozenset()
    """MACs of foreign networks, and of what they reserve addresses for."""
    memory_free: int | None = None
    """MiB, or None where the host does not say."""
    memory: int | None = None
    """MiB of the whole host, or None where it does not say."""
    pools: dict[str, int] = field(default_factory=dict)
    """Bytes available by pool; a pool that is not here does not exist."""
    returning: bool = False
    """Whether the plan goes back to a revision (rollback): what cannot be taken back stays as it is."""
    undoing: frozenset[str] = frozenset()
    """Ids of the instances that the operation has made which the plan undoes: they go, whatever would keep them from then on. What was there before keeps
    its policies, also where an earlier operation should have removed it and its cleanup failed."""
    external: Mapping[str, Described | str] = field(default_factory=dict)
    """By path, what the objects are that the template uses without owning them; a text where one cannot be had: why."""
    whose: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """By kind and value, who has what is taken, in words."""
    offered: Pools = field(default_factory=Pools)
    """What names and addresses are chosen from, as the machine's owner says."""
    store: str = ""
    """The store's id, as it stands in libvirt metadata."""
    underlay: str = ""
    """The address by which other hosts reach this one (tunnels between networks, memory of guests that move); empty: not said."""
    others: Mapping[str, Ground] = field(default_factory=dict)
    """The same of the stack's other hosts, by URI."""
    dead: frozenset[str] = frozenset()
    """Hosts that somebody has said to be dead: nothing is asked of them, and nothing there runs any more."""

    def as_taken(self, before: Ground) -> Ground:
        """This ground with what others had ``before``: for a plan whose ranges were chosen on that one. What they took since, the store refuses."""
        if before.host != self.host:
            return self
        return replace(self, taken=before.taken, subnets=before.subnets, names=before.names, macs=before.macs, whose=before.whose)

    def on(self, uri: str) -> Ground:
        """The ground of one of the stack's hosts; of one that is not known here (dead, or gone from the inventory) the home's."""
        return self if uri in ("", self.host) else self.others.get(uri, self)
