"""Names of environments: readable DNS labels, another one for every branch, whatever bytes it has."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackengine.service.environments.naming import environment_name, repository_of, without_password

LABEL = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
BRANCHES = st.text(max_size=250) | st.binary(max_size=50).map(lambda b: b.decode("utf-8", "surrogateescape"))


def test_the_name_can_be_read() -> None:
    assert environment_name("github.com/acme/shop", "feature/login").startswith("shop-feature-login-")


@pytest.mark.parametrize("others", [("feature/x", "feature-x", "Feature_X", "feature/X", "feature x"), ("b" * 200, "b" * 201), ("日本", "日", "💥"), ("", " ")])
def test_branches_that_look_alike_have_names_of_their_own(others: tuple[str, ...]) -> None:
    assert len({environment_name("github.com/acme/shop", b) for b in others}) == len(others)


@given(BRANCHES, BRANCHES, st.text(max_size=40))
def test_every_name_is_a_dns_label_and_belongs_to_one_branch(one: str, other: str, repository: str) -> None:
    names = environment_name(repository, one), environment_name(repository, other)
    assert all(LABEL.fullmatch(n) and len(n) <= 40 for n in names)
    assert (names[0] == names[1]) == (one == other)


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/acme/shop", "https://github.com/acme/shop.git", "https://bot:t0ken@github.com/acme/shop.git", "git@github.com:acme/shop.git",
        "ssh://git@github.com:22/acme/shop.git", "https://GitHub.com/acme/shop/",
    ],
)  # fmt: skip
def test_every_way_to_a_repository_is_the_same_repository(url: str) -> None:
    assert repository_of(url) == "github.com/acme/shop"


def test_a_folder_is_a_repository_too() -> None:
    assert repository_of("/srv/git/shop.git") == repository_of("file:///srv/git/shop") == "/srv/git/shop"


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://bot:t0ken@git.example/a.git", "https://git.example/a.git"),
        ("https://t0ken@git.example/a.git", "https://git.example/a.git"),
        ("ssh://git@git.example/a.git", "ssh://git@git.example/a.git"),
        ("git@git.example:a.git", "git@git.example:a.git"),
    ],
)
def test_no_password_is_recorded(url: str, kept: str) -> None:
    assert without_password(url) == kept
