"""The stack-run command: argparse, one file per command, renderers."""
