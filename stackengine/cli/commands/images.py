"""List guest images, and build or fetch one before a stack needs it.

`tiny` is made on the spot from Debian packages: a kernel and an initramfs that boot in seconds, with DHCP, user-data, a web server and ssh.
The distributions' own cloud images are fetched, and compared with the checksums that are published beside them.
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
    build = verbs.add_parser("build", help="have an image on this machine: built here, or fetched")
    build.add_argument("name", metavar="NAME", help="an image of `images ls`")
    for verb in verbs.choices.values():
        options.add_common(verb, again=True)


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Do what the verb says."""
    from stackengine import service
    from stackengine.cli.render import images as view
    from stackengine.service import images

    with service.open(options.settings(args)) as session:
        found = images.ls(session) if args.verb == "ls" else [images.bring(session, args.name)]
    if terminal.json:
        terminal.document("images", {"images": [view.image_data(i) for i in found]})
    elif args.verb == "ls":
        terminal.data(view.listing(found, terminal.style))
    else:
        terminal.say(f"{found[0].name} is here: {view.place(found[0]).removeprefix('yes, ')}")
    return OK
