"""SSH keys of a stack: the user's own public keys, or a key pair made for the stack; chosen once, kept in the state folder."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class StackKeys:
    """Public keys that go into the stack's servers; ``private`` is a new private key that is not saved yet."""

    public: tuple[str, ...]
    private: bytes = b""


def folder_of(state: Path, stack_id: str) -> Path:
    """The folder of what belongs to one stack on this machine: keys, known hosts."""
    return state / "stacks" / stack_id


def keys_of(state: Path, stack_id: str) -> StackKeys:
    """The keys of a stack; for a new one the user's public keys, else a new pair (saved by :func:`save`)."""
    chosen = folder_of(state, stack_id) / "authorized_keys"
    if chosen.is_file():
        return StackKeys(tuple(chosen.read_text("utf-8").splitlines()))
    own = sorted((Path.home() / ".ssh").glob("id_*.pub"))
    found = tuple(line.strip() for file in own for line in file.read_text("utf-8").splitlines() if line.startswith(("ssh-", "ecdsa-", "sk-")))
    return StackKeys(found) if found else _new_pair(stack_id)


def _new_pair(stack_id: str) -> StackKeys:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    return StackKeys((f"{public} stackengine-{stack_id}",), key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))


def save(state: Path, stack_id: str, keys: StackKeys) -> None:
    """Keep the choice; a private key is readable by its owner only."""
    folder = folder_of(state, stack_id)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if keys.private:
        with os.fdopen(os.open(folder / "id_ed25519", os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as out:
            out.write(keys.private)
        (folder / "id_ed25519.pub").write_text(keys.public[0] + "\n", "utf-8")
    (folder / "authorized_keys").write_text("".join(f"{k}\n" for k in keys.public), "utf-8")
