"""What is wrong with a host, and how to mend it."""

from stackengine.hosts.doctor.checks import examine
from stackengine.hosts.doctor.findings import Result

__all__ = ["Result", "examine"]
