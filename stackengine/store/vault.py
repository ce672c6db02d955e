"""Secrets: sealed under a keyed hash of their value, encrypted in the store, the key in a file of its own."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa

from stackengine import locks
from stackengine.model.values import SecretRef, Value
from stackengine.store.database import Database
from stackengine.store.errors import StoreError
from stackengine.store.tables import secret

KEY_VARIABLE = "STACKENGINE_KEY"
KEY_BYTES = 32
KEY_LOCK = "key.lock"
"""Whoever makes, tries or drops a new key is alone with it, for moments."""
"""Of a new key, and the least that one has (a rotated key carries 32 more, see :func:`identity_of`)."""


def load_key(folder: Path) -> bytes:
    """The store's key: from the environment, else from ``key`` (0600) in the state folder, which is made when it is not there. StoreError when it is none."""
    given = os.environ.get(KEY_VARIABLE)
    if given:
        return hashlib.sha256(given.encode()).digest()
    file = folder / "key"
    try:
        if not file.exists():
            _make_key(file)
        key = file.read_bytes()
    except OSError as error:
        raise StoreError(f"the key {file} cannot be read or made: {error.strerror}", hint="check the permissions of the file and its folder") from error
    if len(key) < KEY_BYTES:
        raise StoreError(f"{file} is no key: it has {len(key)} bytes", hint="bring it back from a backup; without it the secrets of the store cannot be read")
    return key


def _make_key(file: Path) -> None:
    """A key appears whole or not at all, also where two make one at once: the first counts."""
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=".key-")  # 0600
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(os.urandom(KEY_BYTES))
            out.flush()
            os.fsync(out.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(name, file)
    finally:
        Path(name).unlink()


def seal_seed(key: bytes, stack: str, seed: bytes) -> str:
    """A stack's seed for who has the key, the same text every time: it stands in the metadata of objects, from which a lost database is rebuilt."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = hmac.new(identity_of(key), b"seed:" + stack.encode() + seed, hashlib.sha256).digest()[:12]
    box = AESGCM(hmac.new(identity_of(key), b"recovery", hashlib.sha256).digest()).encrypt(nonce, seed, stack.encode())
    return base64.b64encode(nonce + box).decode()


def open_seed(key: bytes, stack: str, sealed: str) -> bytes | None:
    """The seed; None when another key sealed it."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        box = base64.b64decode(sealed, validate=True)
        return AESGCM(hmac.new(identity_of(key), b"recovery", hashlib.sha256).digest()).decrypt(box[:12], box[12:], stack.encode())
    except (InvalidTag, ValueError):
        return None


class StackVault:
    """Seals and opens the secrets of one stack (engine.ports.Vault)."""

    def __init__(self, database: Database, stack: str, key: bytes) -> None:
        self._database, self._stack = database, stack
        self._mac_key = hmac.new(identity_of(key), b"identity:" + stack.encode(), hashlib.sha256).digest()
        self._box_key = box_of(key)
        self._known: dict[str, Value] = {}
        self._new: dict[str, bytes] = {}

    def seal(self, value: Value) -> SecretRef:
        """Equal values give equal refs; the ciphertext is written with the next commit."""
        plain = json.dumps(value, sort_keys=True).encode()
        id_ = hmac.new(self._mac_key, plain, hashlib.sha256).hexdigest()[:32]
        if id_ not in self._known:
            self._known[id_] = value
            self._new[id_] = self._encrypt(plain, id_)
        return SecretRef(id_, 1)

    def open(self, ref: SecretRef) -> Value:
        """The value; StoreError when the key does not fit."""
        if ref.id not in self._known:
            with self._database.reading() as connection:
                row = connection.execute(sa.select(secret.c.ciphertext).where(secret.c.stack == self._stack, secret.c.id == ref.id)).scalar()
            if row is None:
                raise StoreError(f"the secret {ref.id} is not in the store", "recover --from-host rebuilds the stack; the values of its secrets are given anew")
            self._known[ref.id] = json.loads(self._decrypt(row, ref.id))
        return self._known[ref.id]

    def take_new(self) -> list[dict[str, object]]:
        """Rows that were sealed since the last call."""
        new, self._new = self._new, {}
        return [{"stack": self._stack, "id": i, "version": 1, "ciphertext": c} for i, c in new.items()]

    def _encrypt(self, plain: bytes, id_: str) -> bytes:
        return encrypt(self._box_key, plain, id_)

    def _decrypt(self, box: bytes, id_: str) -> bytes:
        return decrypt(self._box_key, box, id_)


def box_of(key: bytes) -> bytes:
    """What secrets are encrypted with: of the first 32 bytes of the key, which a rotation changes."""
    return hmac.new(key[:32], b"encryption", hashlib.sha256).digest()


def identity_of(key: bytes) -> bytes:
    """What equal secrets are known by, and seeds are sealed with: a rotation keeps it, so that it changes no plan."""
    return key[32:] or key


def encrypt(box_key: bytes, plain: bytes, id_: str) -> bytes:
    """A box that only the key opens, and only under this id."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = os.urandom(12)
    return nonce + AESGCM(box_key).encrypt(nonce, plain, id_.encode())


def decrypt(box_key: bytes, box: bytes, id_: str) -> bytes:
    """What is in a box; StoreError when the key does not fit."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        return AESGCM(box_key).decrypt(box[:12], box[12:], id_.encode())
    except InvalidTag:
        raise StoreError("the store's key does not fit its secrets", f"is {KEY_VARIABLE}, or the file 'key' beside the database, the right one?") from None


def rotate(database: Database, folder: Path, key: bytes, check: Callable[[sa.Connection], None]) -> bytes:
    """Encrypt every secret under a new key; the new key.

    It stands in ``key.new`` before anything changes and becomes ``key`` afterwards; a crash in between is finished by :func:`load_key`'s caller,
    who finds the key that fits (:func:`fitting_key`). ``check`` is called in the transaction that writes, and may refuse.
    """
    fresh = os.urandom(KEY_BYTES) + identity_of(key)
    file = folder / "key.new"
    old_box, new_box = box_of(key), box_of(fresh)
    with locks.alone(folder / KEY_LOCK):
        with database.writing() as connection:
            check(connection)
            file.unlink(missing_ok=True)
            with os.fdopen(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as out:
                out.write(fresh)
                out.flush()
                os.fsync(out.fileno())
            for row in connection.execute(sa.select(secret)).all():
                where = (secret.c.stack == row.stack, secret.c.id == row.id, secret.c.version == row.version)
                box = encrypt(new_box, decrypt(old_box, row.ciphertext, row.id), row.id)
                connection.execute(secret.update().where(*where).values(ciphertext=box))
        file.replace(folder / "key")
    return fresh


def fitting_key(database: Database, folder: Path, key: bytes) -> bytes:
    """``key``, or the one of a rotation that was cut off after its secrets were written."""
    file = folder / "key.new"
    if not file.is_file():
        return key
    with locks.alone(folder / KEY_LOCK):
        if not file.is_file():  # a rotation has ended meanwhile
            return load_key(folder)
        with database.reading() as connection:
            row = connection.execute(sa.select(secret).limit(1)).one_or_none()
        fresh = file.read_bytes()
        try:
            if row is not None:
                decrypt(box_of(fresh), row.ciphertext, row.id)
        except StoreError:
            file.unlink()
            return key
        file.replace(folder / "key")
        return fresh
