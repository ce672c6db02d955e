"""Passphrases of encrypted volumes: secrets of the host's libvirt, under UUIDs of ours (formatsecret.html)."""

from __future__ import annotations

from html import escape

from stackengine.sdk.context import Context
from stackengine.sdk.errors import FailedError

BYTES = 24
"""Random bytes of a passphrase that nobody gave: 32 letters of base64."""


def ensure_key(ctx: Context, given: str, uuid: str, pool: str, name: str) -> str:
    """The passphrase of a volume, known to the host: ``given``, else the one that is there already, else a new one."""
    import secrets

    known = ctx.host.secret_value(uuid)
    value = given.encode() or known or secrets.token_urlsafe(BYTES).encode()
    if known != value:
        found = ctx.host.pool_info(pool)
        usage, about = escape(f"{found.path if found else pool}/{name}"), escape(f"{ctx.stack} {ctx.path}")
        head = f"<secret ephemeral='no' private='no'><uuid>{uuid}</uuid><description>{about}</description>"
        ctx.host.secret_keep(f"{head}<usage type='volume'><volume>{usage}</volume></usage></secret>", value)
    return value.decode()


def same_key(ctx: Context, of: str, uuid: str, pool: str, name: str) -> None:
    """Give a copy the passphrase of the volume that it is of."""
    value = ctx.host.secret_value(of)
    if value is None:
        raise FailedError("the passphrase of the volume is not on this host any more", hint="give it again: the property passphrase")
    ensure_key(ctx, value.decode(), uuid, pool, name)
