"""Where repository, branch and commit come from: flags, the CI's variables, git; and what is said when nobody tells."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from stackengine.service.environments.origin import branches_of, find_origin
from stackengine.service.types import ServiceError


def git(folder: Path, *arguments: str) -> str:
    options = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=main", "-c", "commit.gpgsign=false"]
    return subprocess.run(["git", "-C", str(folder), *options, *arguments], capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    git(folder, "init", "-q")
    git(folder, "commit", "-q", "--allow-empty", "-m", "one")
    git(folder, "checkout", "-q", "-b", "feature/login")
    return folder


def test_git_tells_it(repository: Path) -> None:
    found = find_origin(repository, {})
    assert (found.repository, found.branch, found.commit) == (str(repository), "feature/login", git(repository, "rev-parse", "HEAD"))


def test_the_remote_names_the_repository_without_its_password(repository: Path) -> None:
    git(repository, "remote", "add", "origin", "https://bot:t0ken@git.example/acme/shop.git")
    found = find_origin(repository, {})
    assert (found.repository, found.remote) == ("git.example/acme/shop", "https://git.example/acme/shop.git")


def test_flags_win_one_by_one(repository: Path) -> None:
    found = find_origin(repository, {}, branch="other")
    assert (found.repository, found.branch, found.commit) == (str(repository), "other", git(repository, "rev-parse", "HEAD"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_checkout_that_belongs_to_somebody_else_is_told_apart_from_none(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    os.chown(repository, 65534, 65534)
    with pytest.raises(ServiceError, match="belongs to somebody else") as raised:
        find_origin(repository, {})
    assert f"safe.directory {repository}" in raised.value.hint


def test_without_git_flags_are_enough(tmp_path: Path) -> None:
    found = find_origin(tmp_path, {}, repo="git@git.example:acme/shop.git", branch="main", commit="abc")
    assert (found.repository, found.branch, found.commit, found.told_by) == ("git.example/acme/shop", "main", "abc", "flags")


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        (
            {"GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": "acme/shop", "GITHUB_REF_NAME": "main", "GITHUB_SHA": "1"},
            ("github.com/acme/shop", "main", "1", "GitHub"),
        ),
        (
            {"GITEA_ACTIONS": "true", "GITHUB_SERVER_URL": "https://git.example", "GITHUB_REPOSITORY": "a/b", "GITHUB_HEAD_REF": "x", "GITHUB_SHA": "2"},
            ("git.example/a/b", "x", "2", "GitHub"),
        ),
        (
            {"GITLAB_CI": "true", "CI_PROJECT_URL": "https://gitlab.example/g/p", "CI_COMMIT_BRANCH": "dev", "CI_COMMIT_SHA": "3"},
            ("gitlab.example/g/p", "dev", "3", "GitLab"),
        ),
        (
            {"GITLAB_CI": "true", "CI_SERVER_HOST": "g.example", "CI_PROJECT_PATH": "g/p", "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": "mr", "CI_COMMIT_SHA": "4"},
            ("g.example/g/p", "mr", "4", "GitLab"),
        ),
        (
            {"JENKINS_URL": "https://j", "GIT_URL": "https://u:p@git.example/a/b.git", "GIT_BRANCH": "origin/f", "GIT_COMMIT": "5"},
            ("git.example/a/b", "f", "5", "Jenkins"),
        ),
        (
            {"JENKINS_HOME": "/j", "BUILD_TAG": "t", "GIT_URL": "git@git.example:a/b.git", "BRANCH_NAME": "PR-1", "CHANGE_BRANCH": "f", "CHANGE_FORK": "evil"},
            ("git.example/evil/b", "f", "", "Jenkins"),
        ),
        (
            {"JENKINS_URL": "https://j", "GIT_URL": "https://git.example/a/b.git", "CHANGE_BRANCH": "f", "CHANGE_FORK": "evil/c"},
            ("git.example/evil/c", "f", "", "Jenkins"),
        ),
        (
            {"GITLAB_CI": "true", "CI_PROJECT_URL": "https://g.example/a/b", "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": "main",
             "CI_MERGE_REQUEST_SOURCE_PROJECT_URL": "https://g.example/evil/b", "CI_COMMIT_SHA": "6"},
            ("g.example/evil/b", "main", "6", "GitLab"),
        ),
    ],
)  # fmt: skip
def test_the_variables_of_a_ci_tell_it_even_where_the_checkout_is_detached(tmp_path: Path, environ: dict[str, str], expected: tuple[str, ...]) -> None:
    found = find_origin(tmp_path, environ)
    assert (found.repository, found.branch, found.commit, found.told_by) == expected
    assert found.pushed, "it builds what was pushed"
    assert not find_origin(tmp_path, environ, branch="another").pushed


def test_a_pull_request_counts_by_its_head_and_not_by_the_merge_that_ci_made(tmp_path: Path) -> None:
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"pull_request": {"head": {"sha": "head", "repo": {"full_name": "evil/b"}}}}))
    environ = {"GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": "a/b", "GITHUB_HEAD_REF": "x", "GITHUB_SHA": "merge", "GITHUB_EVENT_PATH": str(event)}
    found = find_origin(tmp_path, environ)
    assert (found.commit, found.repository) == ("head", "github.com/evil/b"), "a fork's branch is another one than that of the same name here"
    event.write_text("[]")
    assert find_origin(tmp_path, environ).repository == "github.com/a/b"


def test_git_remembers_which_branches_it_has_seen_at_the_remote(repository: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", str(repository), "clone")
    assert find_origin(tmp_path / "clone", {}).pushed
    git(tmp_path / "clone", "switch", "-q", "-c", "local")
    assert not find_origin(tmp_path / "clone", {}).pushed
    assert find_origin(tmp_path / "clone", {}, branch="main").pushed
    assert not find_origin(tmp_path / "clone", {}, branch="main", repo="https://git.example/other").pushed
    assert find_origin(tmp_path / "clone", {}, pushed=True).pushed


def test_what_nobody_tells_is_asked_for(tmp_path: Path, repository: Path) -> None:
    with pytest.raises(ServiceError, match="no git repository"):
        find_origin(tmp_path / "nowhere", {})
    git(repository, "checkout", "-q", "--detach")
    with pytest.raises(ServiceError, match="detached HEAD"):
        find_origin(repository, {})
    assert find_origin(repository, {}, branch="x").branch == "x"


def test_a_remote_tells_its_branches_and_tags_and_one_that_cannot_be_reached_tells_nothing(repository: Path, tmp_path: Path) -> None:
    git(repository, "tag", "v1")
    git(repository, "tag", "-a", "v2", "-m", "two")
    assert branches_of(str(repository)) == {"main", "feature/login", "v1", "v2"}
    assert branches_of("--upload-pack=touch pwned") is None
    assert branches_of(str(tmp_path / "gone")) is None
    assert branches_of("") is None
