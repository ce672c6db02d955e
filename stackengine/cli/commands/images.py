"""Build and list guest images.

`tiny` is made on the spot from Debian packages: a kernel and an initramfs that boot in seconds, with DHCP, user-data, a web server and ssh.
"""

from __future__ import annotations

import argparse

from stackengine.cli import options
from stackengine.cli.exit_codes import OK
from stackengine.cli.terminal import Terminal


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    verbs.add_parser("ls", help="list the images that templates can name")
    build = verbs.add_parser("build", help="build an image on this machine")
    build.add_argument("name", metavar="NAME", help="tiny")
    for verb in verbs.choices.values():
        options.add_common(verb, again=True)


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Do what the verb says."""
    return OK
