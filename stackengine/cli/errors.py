"""Failures of the command line itself."""


class UsageError(Exception):
    """Wrong use that argparse cannot see; ``hint`` says what to do. The exit code is 2."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint
