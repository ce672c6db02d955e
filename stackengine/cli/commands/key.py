"""Change the key that the store's secrets are encrypted with: every secret is encrypted anew, and the file `key` (mode 0600) holds the new one.

A key from STACKENGINE_KEY moves into the file: take the variable away afterwards. Keep a copy of the file: without it no secret can be
opened, and `recover` cannot tell whose the objects on a host are.
"""

from __future__ import annotations

import argparse
import os

from stackengine.cli import options
from stackengine.cli.exit_codes import OK
from stackengine.cli.terminal import Terminal


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("verb", metavar="VERB", choices=("rotate",), help="rotate")


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Rotate."""
    from stackengine import service
    from stackengine.service.types import ServiceError
    from stackengine.store.errors import StoreError
    from stackengine.store.vault import KEY_VARIABLE

    with service.open(options.settings(args)) as session:
        try:
            session.store.rotate_key()
        except StoreError as error:
            raise ServiceError(str(error), hint=error.hint) from error
        file = session.folder / "key"
    if terminal.json:
        terminal.document("key", {"done": args.verb, "file": str(file)})
    else:
        terminal.say(f"every secret is encrypted under a new key, in {file}")
        if os.environ.get(KEY_VARIABLE):
            terminal.warn(f"{KEY_VARIABLE} still holds the old key: take it away")
    return OK
