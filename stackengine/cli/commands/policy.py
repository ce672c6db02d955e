"""Show, set or clear a stack policy: what updates of a stack may do, in CloudFormation's words.

    {"Statement": [{"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"},
                   {"Effect": "Deny", "Action": ["Update:Replace", "Update:Delete"], "Principal": "*", "Resource": "LogicalResourceId/db"}]}

Once a stack has a policy, what no statement allows is denied; a Deny wins over every Allow. `up --override-policy FILE` replaces it once.
"""

from __future__ import annotations

import argparse

from stackengine.cli import options
from stackengine.cli.exit_codes import OK
from stackengine.cli.terminal import Terminal


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("stack", metavar="STACK")
    change = parser.add_mutually_exclusive_group()
    change.add_argument("--set", metavar="FILE", help="a JSON or YAML file with the policy")
    change.add_argument("--clear", action="store_true", help="take the policy away")


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Show or change."""
    import json

    from stackengine import service
    from stackengine.cli import requests
    from stackengine.service import guard, prepare

    with service.open(options.settings(args)) as session:
        row = prepare.find_stack(session, args.stack)
        policy = row.policy
        if args.set or args.clear:
            policy = guard.read_policy(requests.existing(args.set)) if args.set else None
            guard.set_policy(session, row, policy)
    if terminal.json:
        terminal.document("policy", {"stack": args.stack, "policy": policy})
    elif policy is None:
        terminal.say(f"{args.stack} has no stack policy: every update is allowed")
    else:
        terminal.data(json.dumps(policy, indent=2))
    return OK
