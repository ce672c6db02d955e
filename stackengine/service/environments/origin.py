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
    pushed: bool = False
    """Whether the branch is known to be, or to have been, at the remote: a CI system builds what was pushed, and git remembers what it pushed."""


def find_origin(folder: Path, environ: Mapping[str, str], *, repo: str = "", branch: str = "", commit: str = "", pushed: bool = False) -> Origin:
    """The origin of what is in ``folder``; ServiceError saying what is missing. Flags win, one by one."""
    found = next((o for read in (_github, _gitlab, _jenkins) if (o := read(environ)) is not None), None)
    if found is None and not (repo and branch):
        found = _git(folder, need_branch=not branch)
    found = found or Origin(told_by="flags")
    if repo:
        found = replace(found, repository=repository_of(repo), remote=without_password(repo), pushed=found.pushed and repository_of(repo) == found.repository)
    if branch and branch != found.branch:
        found = replace(found, branch=branch, pushed=found.told_by == "git" and not repo and _was_pushed(folder, branch))
    found = replace(found, commit=commit or found.commit, pushed=found.pushed or pushed)
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
    """GitHub Actions, Gitea Actions; in a pull request the head branch, its commit and, of a fork, its repository, which only the event's file tells."""
    if environ.get("GITHUB_ACTIONS") != "true" and environ.get("GITEA_ACTIONS") != "true":
        return None
    server, name = environ.get("GITHUB_SERVER_URL", "https://github.com"), environ.get("GITHUB_REPOSITORY", "")
    head = environ.get("GITHUB_HEAD_REF", "")
    commit = environ.get("GITHUB_SHA", "")
    if head:
        sha, fork = _head_of_event(environ.get("GITHUB_EVENT_PATH", ""))
        commit, name = sha or commit, fork or name
    url = f"{server}/{name}" if name else ""
    return Origin(repository_of(url) if url else "", head or environ.get("GITHUB_REF_NAME", ""), commit, url, "GitHub", pushed=True)


def _head_of_event(path: str) -> tuple[str, str]:
    """(commit, ``owner/name`` of the repository) of a pull request's head, each empty where it is not told."""
    try:
        head = json.loads(Path(path).read_text("utf-8"))["pull_request"]["head"]
        return str(head.get("sha") or ""), str((head.get("repo") or {}).get("full_name") or "")
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return "", ""


def _gitlab(environ: Mapping[str, str]) -> Origin | None:
    if environ.get("GITLAB_CI") != "true":
        return None
    """Of a merge request, the source's branch, and its project: a fork's branch is another one than that of the same name here."""
    source = environ.get("CI_MERGE_REQUEST_SOURCE_PROJECT_URL", "") if environ.get("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME") else ""
    url = source or environ.get("CI_PROJECT_URL", "") or f"https://{environ.get('CI_SERVER_HOST', 'gitlab')}/{environ.get('CI_PROJECT_PATH', '')}"
    branch = environ.get("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME") or environ.get("CI_COMMIT_BRANCH") or environ.get("CI_COMMIT_REF_NAME", "")
    commit = environ.get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA") or environ.get("CI_COMMIT_SHA", "")
    return Origin(repository_of(url), branch, commit, url, "GitLab", pushed=True)


def _jenkins(environ: Mapping[str, str]) -> Origin | None:
    """``JENKINS_URL`` is only there once somebody has set it in Jenkins; a home and a build always are. ``CHANGE_FORK``: ``owner`` or ``owner/name``."""
    if not environ.get("JENKINS_URL") and not (environ.get("JENKINS_HOME") and environ.get("BUILD_TAG")):
        return None
    url = _forked(environ.get("GIT_URL", ""), environ.get("CHANGE_FORK", ""))
    branch = environ.get("CHANGE_BRANCH") or environ.get("BRANCH_NAME") or environ.get("GIT_BRANCH", "").removeprefix("origin/")
    return Origin(repository_of(url) if url else "", branch, environ.get("GIT_COMMIT", ""), without_password(url), "Jenkins", pushed=True)


def _forked(url: str, fork: str) -> str:
    """The URL of a fork of ``url``'s repository on the same server."""
    if not fork:
        return url
    before, _, name = url.rpartition("/")
    cut = max(before.rfind("/"), before.rfind(":")) + 1
    return f"{before[:cut]}{fork if '/' in fork else f'{fork}/{name}'}"


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
    return Origin(repository_of(remote or top), branch or "", commit, without_password(remote or top), "git", pushed=_was_pushed(folder, branch or ""))


def _was_pushed(folder: Path, branch: str) -> bool:
    """Whether git has seen the branch at ``origin``."""
    return bool(branch) and git(folder, "rev-parse", "-q", "--verify", f"refs/remotes/origin/{branch}") is not None


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
