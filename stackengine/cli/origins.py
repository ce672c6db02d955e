"""Which environment a command line means: by its name, by a branch of a repository, or as that of the checkout that one is in."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from stackengine.service import Session
from stackengine.service.environments import up
from stackengine.service.environments.naming import environment_name
from stackengine.service.environments.origin import Origin, find_origin, repository_here

LOSING = ("down", "reset")
"""Verbs after which something is lost."""


def origin_of(args: argparse.Namespace, folder: Path) -> Origin:
    """Where what is in ``folder`` comes from, flags first."""
    return find_origin(folder, os.environ, repo=args.repo, branch=args.branch, commit=args.commit, pushed=getattr(args, "pushed", False))


def found(session: Session, args: argparse.Namespace) -> up.Environment:
    """The environment that NAME says, else that of the checkout."""
    if not args.name:
        origin = origin_of(args, Path.cwd())
        return up.find(session, environment_name(origin.repository, origin.branch))
    return named(session, args, args.name)


def named(session: Session, args: argparse.Namespace, name: str) -> up.Environment:
    """The environment of this name, or of this branch of the repository that ``--repo`` or the checkout says."""
    return up.find(session, name, repository_here(Path.cwd(), os.environ, args.repo), exact=args.verb in LOSING)
