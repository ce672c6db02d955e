"""Use cases on guest images: which can be named, which are here, and building or fetching one beforehand."""

from __future__ import annotations

from stackengine.hosts.images import catalogue
from stackengine.service.session import Session
from stackengine.service.types import ImageView, ServiceError


def ls(session: Session) -> list[ImageView]:
    """Every image of the catalogue."""
    return [view(session, name) for name in catalogue()]


def bring(session: Session, name: str) -> ImageView:
    """Build the image here, or fetch it, so that no stack has to wait for it; ServiceError when it cannot be had."""
    from stackengine.hosts.images import ImageError, lookup

    try:
        own = [part for kind, part in lookup(name).sources.items() if kind != "rootfs" or part.startswith(f"{name}#")]  # other hosts have other parts
        for part in own:
            stream, _, _ = session.images.open_source(part)
            stream.close()
    except ImageError as error:
        raise ServiceError(str(error), hint=error.hint) from error
    return view(session, name)


def view(session: Session, name: str) -> ImageView:
    """One image, as it is on this machine."""
    from stackengine.hosts.images import lookup

    image = lookup(name)
    return ImageView(name, "built" if image.build else "fetched", session.images.held(name), image.user, image.memory, image.description)
