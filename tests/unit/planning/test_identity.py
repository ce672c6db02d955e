"""Identities: the same for the same plan, different for everything else, and never what somebody else has."""

from __future__ import annotations

import uuid
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackengine.hosts.memory.host import PROFILE
from stackengine.model.instance import Claim, Instance, Recorded
from stackengine.planning.ground import Ground
from stackengine.planning.identity import ClaimsBook, PathIdentities
from stackengine.sdk import RefusedError

HOST = "lab://"
PATHS = st.text(st.sampled_from("abc/-_.é0"), min_size=1, max_size=12)


def ground(seed: bytes = b"s" * 32, *taken: Claim, subnets: tuple[str, ...] = (), names: frozenset[str] = frozenset()) -> Ground:
    return Ground("stack", "id", seed, HOST, PROFILE, frozenset(taken), subnets, names)


def identities(path: str, generation: int = 1, seed: bytes = b"s" * 32, book: ClaimsBook | None = None) -> PathIdentities:
    here = ground(seed)
    return PathIdentities(here, path, generation, book or ClaimsBook(here, Recorded()), lambda _: None)


def everything(ids: PathIdentities) -> tuple[str, ...]:
    return (ids.uuid(), ids.name(), ids.mac(), ids.token(), ids.random(8).hex())


@given(PATHS, st.integers(1, 9))
def test_a_plan_that_is_made_twice_says_the_same(path: str, generation: int) -> None:
    assert everything(identities(path, generation)) == everything(identities(path, generation))


@given(PATHS, PATHS, st.integers(1, 9), st.integers(1, 9), st.booleans())
def test_another_path_generation_or_stack_is_another_identity(one: str, other: str, first: int, second: int, same_seed: bool) -> None:
    if (one, first) == (other, second) and same_seed:
        return
    seed = b"s" * 32 if same_seed else b"t" * 32
    pairs = zip(everything(identities(one, first)), everything(identities(other, second, seed)), strict=True)
    assert all(a != b for a, b in pairs)


def test_thousands_do_not_collide() -> None:
    found = [everything(identities(f"web/{n}", g)) for n in range(600) for g in (1, 2, 3)]
    for column in (0, 1, 3):
        assert len({f[column] for f in found}) == len(found)


def test_macs_of_one_book_are_unique_even_when_hashes_collide() -> None:
    book = ClaimsBook(ground(), Recorded())
    macs = [identities(f"p{n}", book=book).mac() for n in range(3000)]
    assert len(set(macs)) == len(macs)
    assert all(m.startswith("52:54:00:") for m in macs)


@given(PATHS, st.integers(10, 70))
def test_names_are_names(path: str, limit: int) -> None:
    name = identities(path).name(limit)
    assert len(name) <= limit
    assert name.isascii()
    assert not set(name) - set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")


def test_uuids_are_of_the_custom_version() -> None:
    found = uuid.UUID(identities("x").uuid())
    assert (found.version, found.variant) == (8, uuid.RFC_4122)


def test_nothing_is_taken_that_others_have() -> None:
    taken = [Claim(HOST, "bridge", "br0"), Claim("elsewhere://", "bridge", "br1")]
    book = ClaimsBook(ground(b"s" * 32, *taken, names=frozenset({"br2"})), Recorded())
    assert book.take("bridge", ["br0", "br2", "br1"], "net@1").value == "br1"
    with pytest.raises(RefusedError, match="br0 is taken"):
        book.take("bridge", ["br0"], "net@1")


def test_overlapping_subnets_are_taken() -> None:
    book = ClaimsBook(ground(subnets=("10.0.0.0/16",)), Recorded())
    assert book.take("cidr", ["10.0.3.0/24", "10.1.0.0/24"], "net@1").value == "10.1.0.0/24"
    assert book.take("cidr", ["10.1.0.128/25", "10.2.0.0/24", "fd00::/64"], "other@1").value == "10.2.0.0/24"


def test_what_only_this_stack_has_is_the_last_choice() -> None:
    mine = Instance("net", 1, "t", {"physical_id": "x"}, {}, claims=(Claim(HOST, "bridge", "br0"),))
    book = ClaimsBook(ground(), Recorded({"net@1": mine}))
    assert book.take("bridge", ["br0", "br1"], "net@2").value == "br1"
    assert book.take("bridge", ["br0"], "net@2").value == "br0", "the order of the plan sorts that out"
    assert book.take("bridge", iter(islice(["br0"], 1)), "net@2").value == "br0"
