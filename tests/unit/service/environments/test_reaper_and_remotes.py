"""The reaper and a real git remote: only what was there and is no more counts as gone."""

from __future__ import annotations

import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest

from stackengine import service
from stackengine.cli.main import main
from stackengine.service.environments import reap, up
from stackengine.service.environments.life import GRACE
from stackengine.service.environments.origin import Origin
from stackengine.service.types import Settings

TEMPLATE = "heat_template_version: 2018-08-31\nresources:\n  thing: {type: 'SE::None'}\n"


class Place:
    """A checkout, its remote, and a machine with environments."""

    def __init__(self, folder: Path) -> None:
        self.remote, self.checkout, self.settings = folder / "shop.git", folder / "checkout", Settings(str(folder / "state"), "memory://")
        subprocess.run(["git", "init", "-q", "--bare", str(self.remote)], check=True)
        subprocess.run(["git", "init", "-q", "-b", "main", str(self.checkout)], check=True)
        (self.checkout / "stack.yaml").write_text(TEMPLATE)
        self.git("remote", "add", "origin", str(self.remote))
        self.git("add", "-A")
        self.git("-c", "user.name=t", "-c", "user.email=t@example", "commit", "-qm", "first")
        self.git("push", "-q", "origin", "main")

    def git(self, *words: str) -> None:
        subprocess.run(["git", "-C", str(self.checkout), *words], check=True)

    def env(self, *words: str, code: int = 0) -> None:
        assert main(["env", *words]) == code

    def look(self, later: float = 0.0) -> dict[str, str]:
        """One round of the reaper, as if it were later; what was done, by branch."""
        with service.open(self.settings) as session:
            return {r.branch: f"{r.verdict.action}: {r.verdict.reason}{r.problem}" for r in reap.reap(session, clock=lambda: time.time() + later)}

    def there(self) -> set[str]:
        with service.open(self.settings) as session:
            return {e.life.branch for e in up.ls(session)}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    made = Place(tmp_path)
    monkeypatch.chdir(made.checkout)
    for name in ("GITHUB_ACTIONS", "GITEA_ACTIONS", "GITLAB_CI", "JENKINS_URL", "JENKINS_HOME", "BUILD_TAG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("STACKENGINE_STATE", made.settings.state)
    monkeypatch.setenv("STACKENGINE_HOST", "memory://")
    return made


def test_a_branch_that_was_seen_and_is_deleted_goes_at_the_second_look(place: Place) -> None:
    place.git("push", "-q", str(place.remote), "main:refs/heads/x")
    place.env("up", "stack.yaml", "--branch", "x")
    place.look()
    place.git("push", "-q", str(place.remote), "--delete", "x")
    assert place.look()["x"].startswith("watch")
    assert place.there() == {"x"}
    place.look(GRACE + 1)
    assert place.there() == set()


def test_a_branch_that_git_or_a_ci_says_was_pushed_need_not_be_seen_by_a_reaper_first(place: Place) -> None:
    place.git("push", "-q", "origin", "main:refs/heads/x")
    place.git("fetch", "-q")
    place.env("up", "stack.yaml", "--branch", "x")
    place.env("up", "stack.yaml", "--branch", "y", "--repo", str(place.remote), "--pushed")
    place.git("push", "-q", "origin", "--delete", "x")
    assert {b: said.partition(":")[0] for b, said in place.look().items()} == {"x": "watch", "y": "watch"}
    place.look(GRACE + 1)
    assert place.there() == set()


def test_where_there_is_no_environment_nothing_has_to_be_taken_down(place: Place) -> None:
    place.env("down", "--branch", "x", code=2)
    place.env("down", "--branch", "x", "--if-there")


def test_a_branch_that_comes_back_is_as_it_was(place: Place) -> None:
    place.git("push", "-q", "origin", "main:refs/heads/x")
    place.env("up", "stack.yaml", "--branch", "x")
    place.look()
    place.git("push", "-q", "origin", "--delete", "x")
    place.look()
    place.git("push", "-q", "origin", "main:refs/heads/x")
    place.look(GRACE + 1)
    place.git("push", "-q", "origin", "--delete", "x")
    assert place.look(GRACE + 2)["x"].startswith("watch")


def test_a_branch_that_is_not_pushed_yet_is_not_gone(place: Place) -> None:
    place.env("up", "stack.yaml", "--branch", "mine")
    for later in (0, GRACE + 1, 2 * GRACE + 2):
        assert place.look(later)["mine"].startswith("keep")
    assert place.there() == {"mine"}


@pytest.mark.parametrize(
    "ci",
    [{"GITHUB_ACTIONS": "true", "GITHUB_REF_TYPE": "tag", "GITHUB_REF_NAME": "v1"}, {"GITLAB_CI": "true", "CI_COMMIT_TAG": "v1", "CI_COMMIT_REF_NAME": "v1"}],
)
def test_a_tag_lives_as_long_as_it_is_at_the_remote(place: Place, monkeypatch: pytest.MonkeyPatch, ci: dict[str, str]) -> None:
    place.git("tag", "v1")
    place.git("push", "-q", "origin", "v1")
    for name, value in ci.items():
        monkeypatch.setenv(name, value)
    place.env("up", "stack.yaml", "--repo", str(place.remote))
    for later in (0, GRACE + 1, 2 * GRACE + 2):
        place.look(later)
    assert place.there() == {"v1"}
    place.git("push", "-q", "origin", "--delete", "v1")
    place.look(2 * GRACE + 3)
    place.look(3 * GRACE + 4)
    assert place.there() == set()


def test_a_living_run_is_its_leases_business(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[set[str]] = []

    def command(_words: object, _variables: object) -> int:
        place.look()
        with service.open(place.settings) as session:  # as its lease does, every half minute
            (found,) = up.ls(session)
            up.change(session, found.row, lambda life: replace(life, run_until=time.time() + 3 * GRACE))
        place.look(GRACE + 1)
        place.look(2 * GRACE + 2)
        seen.append(place.there())
        return 0

    monkeypatch.setattr("stackengine.service.environments.run.command", command)
    place.env("run", "stack.yaml", "--", "true")
    assert [len(s) for s in seen] == [1]


@pytest.mark.parametrize("branch", [(), ("--branch", "x")])
def test_a_run_that_is_kept_stays_for_as_long_as_was_said(place: Place, branch: tuple[str, ...]) -> None:
    place.git("push", "-q", "origin", "main:refs/heads/x")
    place.env("run", "stack.yaml", *branch, "--keep-on-failure", "2h", "--", "false", code=1)
    place.look()
    place.git("push", "-q", "origin", "--delete", "x")
    place.look(1)
    place.look(GRACE + 2)
    assert len(place.there()) == 1
    place.look(7300)
    assert place.there() == set()


def test_a_remote_that_is_another_one_has_to_be_seen_anew(place: Place, tmp_path: Path) -> None:
    place.env("up", "stack.yaml")
    place.look()
    other = tmp_path / "away" / "shop.git"
    subprocess.run(["git", "init", "-q", "--bare", str(other)], check=True)
    place.git("push", "-q", str(other), "main:refs/heads/trunk")
    with service.open(place.settings) as session:
        (found,) = up.ls(session)
        wanted = up.Wanted(Origin(found.life.repository, "main", remote=str(other)))
        up.change(session, found.row, lambda life: up.life_from(life, wanted, time.time()))
    assert place.look()["main"].startswith("keep")
