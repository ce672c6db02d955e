"""``memory://``: a strict fake of what a hypervisor does and refuses; it runs no guests and says so.

Its state stands in a file, so that separate command runs see the same host. Refusals carry libvirt's error codes. A simulated guest cannot run
user-data; when it starts it sends one signal to every signal URL that stands in its seed: SUCCESS, or FAILURE where the URL's own line says
FAILURE and not SUCCESS.
"""

from stackengine.hosts.memory.host import MemoryHost

__all__ = ["MemoryHost"]
