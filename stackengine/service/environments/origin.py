"""Repository, branch and commit: of flags, of the CI's variables, else of git."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from stackengine.service.environments.naming import repository_of, without_password
from stackengine.service.types import ServiceError

GIT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an environment comes from."""

    repository: str = ""
    """As :func:`repository_of` names it."""
    branch: str = ""
    commit: str = ""
    remote: str = ""
    """What ``git ls-remote`` is asked with; empty: the branch's end cannot be seen."""
    told_by: str = ""
    """``flags``, ``GitHub``, ``GitLab``, ``Jenkins`` or ``git``."""


def find_origin(folder: Path, environ: Mapping[str, str], *, repo: str = "", branch: str = "", commit: str = "") -> Origin:
    """The origin of what is in ``folder``; ServiceError saying what is missing. Flags win, one by one."""
    found = next((o for read in (_github, _gitlab, _jenkins) if (o := read(environ)) is not None), None)
    if found is None and not (repo and branch):
        found = _git(folder, need_branch=not branch)
    found = found or Origin(told_by="flags")
    if repo:
        found = replace(found, repository=repository_of(repo), remote=without_password(repo))
    found = replace(found, branch=branch or found.branch, commit=commit or found.commit)
    if not found.repository or not found.branch:
        what, flag = ("repository", "--repo") if not found.repository else ("branch", "--branch")
        raise ServiceError(f"the {what} is not known: {found.told_by} does not tell it", hint=f"say {flag}", exit_code=2)
    return found


def repository_here(folder: Path, environ: Mapping[str, str], repo: str = "") -> str:
    """The repository that ``repo`` names, else that of ``folder``; empty where nobody tells one."""
    if repo:
        return repository_of(repo)
    try:
        return find_origin(folder, environ, branch="any").repository
    except ServiceError:
        return ""


def _github(environ: Mapping[str, str]) -> Origin | None:
    """GitHub Actions, Gitea Actions; in a pull request the head branch and its commit, which only the event's file tells."""
    if environ.get("GITHUB_ACTIONS") != "true" and environ.get("GITEA_ACTIONS") != "true":
        return None
    server, name = environ.get("GITHUB_SERVER_URL", "https://github.com"), environ.get("GITHUB_REPOSITORY", "")
    head = environ.get("GITHUB_HEAD_REF", "")
    commit = environ.get("GITHUB_SHA", "")
    if head:
        commit = _head_of_event(environ.get("GITHUB_EVENT_PATH", "")) or commit
    url = f"{server}/{name}" if name else ""
    return Origin(repository_of(url) if url else "", head or environ.get("GITHUB_REF_NAME", ""), commit, url, "GitHub")


def _head_of_event(path: str) -> str:
    try:
        found = json.loads(Path(path).read_text("utf-8"))["pull_request"]["head"]["sha"]
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return str(found)


def _gitlab(environ: Mapping[str, str]) -> Origin | None:
    if environ.get("GITLAB_CI") != "true":
        return None
    url = environ.get("CI_PROJECT_URL", "") or f"https://{environ.get('CI_SERVER_HOST', 'gitlab')}/{environ.get('CI_PROJECT_PATH', '')}"
    branch = environ.get("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME") or environ.get("CI_COMMIT_BRANCH") or environ.get("CI_COMMIT_REF_NAME", "")
    commit = environ.get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA") or environ.get("CI_COMMIT_SHA", "")
    return Origin(repository_of(url), branch, commit, url, "GitLab")


def _jenkins(environ: Mapping[str, str]) -> Origin | None:
    if not environ.get("JENKINS_URL"):
        return None
    url = environ.get("GIT_URL", "")
    branch = environ.get("CHANGE_BRANCH") or environ.get("BRANCH_NAME") or environ.get("GIT_BRANCH", "").removeprefix("origin/")
    return Origin(repository_of(url) if url else "", branch, environ.get("GIT_COMMIT", ""), without_password(url), "Jenkins")


def _git(folder: Path, *, need_branch: bool) -> Origin:
    top = git(folder, "rev-parse", "--show-toplevel")
    if top is None:
        if (owners := _owned_by_somebody_else(folder)) is not None:
            hint = f"git config --global --add safe.directory {owners}; or say --repo, --branch and --commit"
            raise ServiceError(f"git does not read {owners}, which belongs to somebody else", hint=hint, exit_code=2)
        raise ServiceError(f"{folder} is in no git repository", hint="say --repo, --branch and --commit", exit_code=2)
    branch = git(folder, "symbolic-ref", "--short", "-q", "HEAD")
    if branch is None and need_branch:
        raise ServiceError("git is on no branch (detached HEAD)", hint="say --branch; in CI: the name of the branch that was pushed", exit_code=2)
    remote = git(folder, "config", "--get", "remote.origin.url") or ""
    if remote and "://" not in remote and not remote.startswith("/") and ":" not in remote:
        remote = str((Path(top) / remote).resolve())
    commit = git(folder, "rev-parse", "-q", "--verify", "HEAD") or ""
    return Origin(repository_of(remote or top), branch or "", commit, without_password(remote or top), "git")


def git(folder: Path, *arguments: str) -> str | None:
    """What git prints, or None where it fails; it asks nobody for a password."""
    command = ["git", "-C", str(folder), *arguments]
    environment = {"GIT_TERMINAL_PROMPT": "0", "GIT_SSH_COMMAND": "ssh -o BatchMode=yes -o ConnectTimeout=10", "LC_ALL": "C"}
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=GIT_SECONDS, env={**os.environ, **environment}, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return os.fsdecode(done.stdout).rstrip("\n") if done.returncode == 0 else None


def _owned_by_somebody_else(folder: Path) -> Path | None:
    """The repository around ``folder`` that git passes over, as it belongs to another user (safe.directory; usual in containers of CI)."""
    top = next((p for p in (folder.resolve(), *folder.resolve().parents) if (p / ".git").exists()), None)
    return top if top is not None and top.stat().st_uid != os.geteuid() else None


Branches = Callable[[str], "frozenset[str] | None"]
"""The names of a remote's branches and tags; None when it cannot be asked just now."""


def branches_of(remote: str) -> frozenset[str] | None:
    """The names of branches and tags that a remote has; None when it cannot be reached, which says nothing about any of them.

    Tags, too, as CI systems build them under their name: where both are called the same, either keeps the environment.
    """
    if not remote:
        return None
    listed = git(Path("/"), "ls-remote", "--heads", "--tags", "--refs", "--", remote) or ""
    names = [line.partition("\trefs/")[2].partition("/") for line in listed.splitlines()]
    if not any(kind == "heads" for kind, _, _ in names):  # a repository without any branch is more likely one that was answered for by a proxy
        return None
    return frozenset(name for _, _, name in names)
