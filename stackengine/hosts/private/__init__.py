"""``private://NAME``: a libvirtd of its own in namespaces of its own, as root or as a plain user.

Nothing of the machine is touched: no daemon, group, bridge or firewall rule. Process 1 of the namespaces (:mod:`.init`) mounts, starts libvirtd
and hands out sockets made inside; disks and definitions stand in the state folder and survive a stop.
"""

from stackengine.hosts.private import ready
from stackengine.hosts.private.host import PrivateHost, ensure, find, ls, names, remove, stop

__all__ = ["PrivateHost", "ensure", "find", "ls", "names", "ready", "remove", "stop"]
