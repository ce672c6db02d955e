"""List guest images with who stands on them, name more, have one here before a stack needs it, and make room.

`tiny` is made on the spot from Debian packages: a kernel and an initramfs that boot in seconds, with DHCP, user-data, a web server and ssh.
The distributions' own cloud images are fetched, and compared with the checksums that are published beside them. A download that broke off goes on
where it stopped. Proxy, certificates and mirrors stand in `downloads` of owner.yaml; without it http_proxy and https_proxy count.
What a stack was made of stays what it is when an image's address shows a newer one: `stack.lock` beside the template pins it.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from stackengine.cli import options
from stackengine.cli.exit_codes import OK
from stackengine.cli.terminal import Terminal

if TYPE_CHECKING:
    from stackengine.service.types import Freed, ImageView


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    verbs.add_parser("ls", help="list the images that templates can name, how large they are here, and which stacks have them")
    add = verbs.add_parser("add", help="give a file or an address a name that templates can say on this machine")
    add.add_argument("name", metavar="NAME", help="lower-case letters, digits, dots, dashes")
    add.add_argument("source", metavar="PATH|URL", help="a qcow2 or raw disk")
    add.add_argument("--checksum", metavar="ALGORITHM:HEX", default="", help="what its content must have: sha256:HEX, or sha512:HEX")
    add.add_argument("--user", default="", help="the account that gets the SSH keys")
    add.add_argument("--memory", metavar="MIB", type=int, default=0, help="what a guest needs at least")
    add.add_argument("--description", default="", help="what it is")
    capture = verbs.add_parser("capture", help="make an image of a server of a private host: what its disk to boot from holds now, or held at a snapshot")
    capture.add_argument("name", metavar="NAME", help="lower-case letters, digits, dots, dashes")
    capture.add_argument("stack", metavar="STACK")
    capture.add_argument("path", metavar="SERVER")
    capture.add_argument("--snapshot", metavar="NAME", default="", help="of `snapshots` (default: as the server is now; it stands still for a moment)")
    build = verbs.add_parser("build", help="have an image on this machine: built here, or fetched")
    build.add_argument("name", metavar="NAME", help="an image of `images ls`, or a path or an address")
    pull = verbs.add_parser("pull", help="have the newest version of an image on this machine; stacks that have another one keep it")
    pull.add_argument("name", metavar="NAME", help="an image of `images ls`, or an address")
    rm = verbs.add_parser("rm", help="remove what is here of an image that no stack has, and its name where it was added")
    rm.add_argument("names", metavar="NAME", nargs="+", help="an image of `images ls`")
    prune = verbs.add_parser("prune", help="remove downloads, older builds and layers on hosts that nobody stands on")
    prune.add_argument("--dry-run", action="store_true", help="only say what would be removed")
    for verb in verbs.choices.values():
        options.add_common(verb, again=True)


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Do what the verb says."""
    from stackengine import service
    from stackengine.cli.render import images as view
    from stackengine.service import images

    with service.open(options.settings(args)) as session:
        if args.verb in ("rm", "prune"):
            freed = images.rm(session, args.names) if args.verb == "rm" else images.prune(session, pretend=args.dry_run)
            return _tell(freed, terminal, pretended=args.verb == "prune" and args.dry_run)
        found: list[ImageView]
        if args.verb == "ls":
            found = images.ls(session)
        elif args.verb == "add":
            more = {"checksum": args.checksum, "user": args.user, "description": args.description}
            found = [images.add(session, args.name, args.source, memory=args.memory, **more)]
        elif args.verb == "capture":
            from stackengine.service.capture import capture

            found = [capture(session, args.name, args.stack, args.path, args.snapshot)]
        else:
            found = [images.pull(session, args.name) if args.verb == "pull" else images.bring(session, args.name)]
    if terminal.json:
        terminal.document("images", {"images": [view.image_data(i) for i in found]})
    elif args.verb == "ls":
        terminal.data(view.listing(found, terminal.style))
    elif args.verb in ("add", "capture"):
        terminal.say(f"{found[0].name} can be named on this machine")
    else:
        terminal.say(f"{found[0].name} is here: {view.place(found[0]).removeprefix('yes, ')}")
    return OK


def _tell(freed: Freed, terminal: Terminal, *, pretended: bool) -> int:
    from stackengine.cli.render import images as view

    if terminal.json:
        terminal.document("freed", {"bytes": freed.bytes, "things": list(freed.things), "kept": list(freed.kept), "done": not pretended})
        return OK
    for thing in freed.things:
        terminal.say(f"{'would remove' if pretended else 'removed'} {thing}")
    for why in freed.kept:
        terminal.warn(f"not looked at: {why}")
    terminal.say(f"{view.mebibytes(freed.bytes)} {'would be' if pretended else 'are'} free")
    return OK
