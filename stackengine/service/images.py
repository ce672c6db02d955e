"""Use cases on guest images: which can be named, which are here and who stands on them, having one beforehand, and making room."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from stackengine.hosts.images import ImageError
from stackengine.service import layers
from stackengine.service.session import Session
from stackengine.service.types import Freed, ImageView, ServiceError


def ls(session: Session) -> list[ImageView]:
    """Every image that can be named, and what else was fetched."""
    with _faults():
        named = session.images.names.all()
        addresses = {i.url for i in named.values()}
        fetched = [f.url for f in session.images.fetched() if f.url not in addresses]
        holders = layers.holders(session)
        return [_view(session, name, holders) for name in (*named, *fetched)]


def add(session: Session, name: str, source: str, *, checksum: str = "", user: str = "", memory: int = 0, description: str = "") -> ImageView:
    """Give a path or an address a name that templates can say on this machine; ServiceError when it cannot be."""
    with _faults():
        session.images.names.add(name, source, checksum=checksum, user=user, memory=memory, description=description)
        return _view(session, name, layers.holders(session))


def bring(session: Session, name: str) -> ImageView:
    """Build the image here, or fetch it, so that no stack has to wait for it; ServiceError when it cannot be had."""
    with _faults():
        sources = session.images.lookup(name).sources
        own = [part for kind, part in sources.items() if kind != "rootfs" or part.startswith(f"{name}#")]  # other hosts have other parts
        for part in own:
            stream, _, _ = session.images.open_source(part)
            stream.close()
        return _view(session, name, layers.holders(session))


def pull(session: Session, name: str) -> ImageView:
    """Have the newest version of the image here; stacks that stand on another one go on to."""
    with _faults():
        session.images.pull(name)
        return _view(session, name, layers.holders(session))


def rm(session: Session, names: list[str]) -> Freed:
    """Take added names away, and what is here of the images; ServiceError for one that a stack stands on."""
    with _faults():
        sources = [session.images.lookup(n) for n in names]
        holders = layers.holders(session)
        for source in sources:
            held = holders.get(source.name)
            if held:
                raise ServiceError(f"the image {source.name} is used by {', '.join(sorted(held))}", hint="stack-run down first, or leave it")
        freed, things = 0, []
        for source in sources:
            freed += session.images.discard(source.name)
            session.images.names.drop(source.name)
            things.append(source.name)
        return Freed(freed, tuple(things))


def prune(session: Session, *, pretend: bool = False) -> Freed:
    """Remove downloads, older builds, and layers on hosts that nobody stands on. ``pretend``: only say what it would be."""
    with _faults():
        before = {f.sha256: f.url for f in session.images.fetched()}
        keep = layers.contents(session)
        bytes_ = session.images.sweep(keep, pretend=pretend)
        swept = layers.sweep(session, pretend=pretend)
        gone = tuple(url for sha256, url in before.items() if sha256 not in keep)
        return Freed(bytes_ + swept.bytes, (*gone, *swept.things), swept.kept)


def _view(session: Session, name: str, holders: dict[str, set[str]]) -> ImageView:
    """One image, as it is on this machine."""
    image = session.images.lookup(name)
    origin: Literal["built", "fetched", "file"] = "built" if image.build else "fetched" if image.fetched else "file"
    held = session.images.held(name)
    added = name in session.images.names.added()
    return ImageView(name, origin, held, image.user, image.memory, image.description, added, tuple(sorted(holders.get(name, ()))))


@contextmanager
def _faults() -> Iterator[None]:
    try:
        yield
    except ImageError as error:
        raise ServiceError(str(error), hint=error.hint) from error
