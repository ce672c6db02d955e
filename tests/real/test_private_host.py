"""Private hosts, really started: what they keep, what they leave behind (nothing), who finds them."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from stackengine.hosts import guest_image, private, processes
from stackengine.hosts.doctor import examine
from stackengine.hosts.private import launch, requirements
from stackengine.hosts.private.paths import paths_of
from stackengine.sdk import ExistsError, HostError

libvirt = pytest.importorskip("libvirt")
lacking = [r.problem for r in requirements.requirements(outbound=True) if r.problem]
pytestmark = [pytest.mark.real, pytest.mark.skipif(bool(lacking), reason="; ".join(lacking))]

REPOSITORY = Path(__file__).parents[2]
LIMIT = 60.0
"""Seconds that anything may take on a busy machine."""
NETWORK = """<network><name>n1</name><forward mode='nat'/><bridge name='se-test0' delay='0'/>
<ip address='10.77.0.1' netmask='255.255.255.0'><dhcp><range start='10.77.0.10' end='10.77.0.90'/></dhcp></ip></network>"""
GUEST = """<domain type='qemu'><name>g1</name><memory unit='MiB'>32</memory><vcpu>1</vcpu>
<os><type arch='x86_64' machine='q35'>hvm</type></os><features><acpi/></features>
<devices><interface type='network'><source network='n1'/><model type='virtio'/></interface><memballoon model='none'/></devices></domain>"""


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    libvirt.registerErrorHandler(lambda _context, _error: None, None)
    yield tmp_path
    for name in private.names(tmp_path):
        private.remove(name, tmp_path)


def opened(host: private.PrivateHost) -> Any:
    return libvirt.open(host.libvirt_uri)


def eventually(probe: Callable[[], Any], what: str) -> Any:
    """What the probe found; for what has no event that a test could wait for."""
    end = time.monotonic() + LIMIT
    while not (found := probe()):
        if time.monotonic() > end:
            pytest.fail(f"not within {LIMIT:g} s: {what}")
        time.sleep(0.02)
    return found


def descendants(pid: int) -> set[int]:
    """All processes below one, by the process table."""
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found, left = set(), [pid]
    while left:
        for child in parents.get(left.pop(), ()):
            found.add(child)
            left.append(child)
    return found


def there(pids: set[int]) -> set[int]:
    return {pid for pid in pids if Path(f"/proc/{pid}").exists()}


def outside() -> dict[str, str]:
    """What the machine's owner would see of us."""

    def said(*command: str) -> str:
        search = {**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"}
        return subprocess.run(["env", *command], capture_output=True, text=True, check=False, env=search).stdout

    return {
        "links": said("ip", "-br", "link"),
        "routes": said("ip", "route", "show", "table", "all"),
        "rules": said("nft", "-s", "list", "ruleset"),
        "mounts": Path("/proc/self/mounts").read_text(),
        "cgroups": "\n".join(sorted(str(p) for p in Path("/sys/fs/cgroup").rglob("*stackengine*"))),
    }


def test_a_host_starts_with_its_pools_and_without_networks_and_is_found_again(state: Path) -> None:
    host = private.ensure("one", state)
    connection = opened(host)
    for name, folder in (("default", state / "hosts" / "one" / "volumes"), ("se-layers", state / "layers")):
        pool = connection.storagePoolLookupByName(name)
        assert pool.isActive()
        assert pool.autostart()
        assert f"<path>{folder}</path>" in pool.XMLDesc(0)
    assert connection.listAllNetworks() == []
    assert connection.listAllNWFilters(), "libvirt's own filters are there"
    assert private.ensure("one", state).pid == host.pid
    found = private.find("one", state)
    assert (found.state, found.pid, found.outbound) == ("running", host.pid, False)
    connection.close()


def test_nothing_of_it_is_seen_outside_and_nothing_is_left_after_a_stop(state: Path) -> None:
    before = outside()
    host = private.ensure("one", state)
    connection = opened(host)
    connection.networkCreateXML(NETWORK)
    connection.createXML(GUEST)
    connection.close()
    assert outside() == before
    assert host.pid is not None
    ours = descendants(host.pid) | {host.pid}
    assert len(ours) >= 5, "libvirtd, virtlogd, virtlockd, dnsmasq, QEMU"
    assert private.stop("one", state, limit=0.5) == ["g1"], "firmware without a system cannot shut down: it is cut off, and that is said"
    assert there(ours) == set()
    assert not host.paths.runtime.exists()
    assert outside() == before
    assert private.find("one", state).state == "stopped"


def test_definitions_volumes_and_identity_outlive_a_stop(state: Path) -> None:
    connection = opened(private.ensure("one", state))
    identity = connection.getCapabilities().split("<uuid>")[1][:36]
    network = connection.networkDefineXML(NETWORK)
    network.setAutostart(1)
    network.create()
    guest = connection.defineXML(GUEST)
    guest.create()
    uuid = guest.UUIDString()
    pool = connection.storagePoolLookupByName("default")
    volume = pool.createXML("<volume><name>v1.qcow2</name><capacity unit='MiB'>8</capacity><target><format type='qcow2'/></target></volume>")
    path = Path(volume.path())
    assert path.is_file(), "a volume has the same path inside and outside"
    connection.close()

    private.stop("one", state, limit=0.0)
    connection = opened(private.ensure("one", state))
    assert connection.getCapabilities().split("<uuid>")[1][:36] == identity
    assert connection.networkLookupByName("n1").isActive()
    assert not connection.lookupByUUIDString(uuid).isActive(), "guests run again only when their stack is resumed"
    assert connection.storageVolLookupByPath(str(path)).name() == "v1.qcow2"
    connection.lookupByUUIDString(uuid).create()
    connection.close()


def test_two_hosts_have_the_same_network_and_one_store_of_layers(state: Path) -> None:
    with ThreadPoolExecutor(2) as both:
        one, two = both.map(lambda name: private.ensure(name, state), ("one", "two"))
    assert one.pid != two.pid
    connections = [opened(h) for h in (one, two)]
    for connection in connections:
        assert connection.networkCreateXML(NETWORK).isActive()
    layers = connections[0].storagePoolLookupByName("se-layers")
    layers.createXML("<volume><name>base.raw</name><capacity>512</capacity></volume>")
    shared = connections[1].storagePoolLookupByName("se-layers")
    shared.refresh()
    assert shared.listVolumes() == ["base.raw"]
    for connection in connections:
        connection.close()
    assert {h.name: h.state for h in private.ls(state)} == {"one": "running", "two": "running"}


ENSURE = "import sys; from pathlib import Path; from stackengine.hosts import private; print(private.ensure('one', Path(sys.argv[1])).pid)"


def test_many_processes_that_want_it_at_once_get_the_same_one(state: Path) -> None:
    asking = [subprocess.Popen([sys.executable, "-c", ENSURE, str(state)], stdout=subprocess.PIPE, text=True) for _ in range(4)]
    said = {p.communicate(timeout=LIMIT)[0].strip() for p in asking}
    assert len(said) == 1
    assert said == {str(private.find("one", state).pid)}


@pytest.mark.parametrize("delay", [0.15, 0.25, 0.35])
def test_a_start_whose_starter_is_killed_neither_doubles_nor_blocks(state: Path, delay: float) -> None:
    starter = subprocess.Popen([sys.executable, "-c", ENSURE, str(state)], stdout=subprocess.DEVNULL)
    time.sleep(delay)  # a moment somewhere in the start; any is right
    starter.kill()
    starter.wait()
    host = private.ensure("one", state)
    opened(host).close()
    runtime = str(host.paths.runtime)
    inits = [p for p in Path("/proc").glob("[0-9]*/cmdline") if runtime.encode() in _read(p) and b"private.init" in _read(p) and b"unshare" not in _read(p)]
    assert [int(p.parent.name) for p in inits] == [host.pid]


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""


def test_kill_9_of_process_1_takes_everything_along_and_the_next_use_starts_it_again(state: Path) -> None:
    host = private.ensure("one", state)
    connection = opened(host)
    connection.networkCreateXML(NETWORK)
    connection.defineXML(GUEST).create()
    host.publish("p", "127.0.0.1", _free_port(), "10.77.0.1", 53)
    publisher = processes.holder(host.paths.runtime / "publisher.lock")
    assert host.pid is not None
    assert publisher is not None
    ours = descendants(host.pid) | {host.pid, publisher}
    os.kill(host.pid, signal.SIGKILL)
    eventually(lambda: not there(ours), "everything is gone")
    assert private.find("one", state).state == "stopped"
    again = private.ensure("one", state)
    assert again.pid not in (None, host.pid)
    fresh = opened(again)
    assert [d.name() for d in fresh.listAllDomains()] == ["g1"]
    assert processes.lives(host.paths.runtime / "publisher.lock"), "ports are published again"
    fresh.close()


def test_a_libvirtd_that_dies_is_started_again_and_its_guests_run_on(state: Path) -> None:
    host = private.ensure("one", state)
    connection = opened(host)
    connection.networkCreateXML(NETWORK)
    connection.createXML(GUEST)
    assert host.pid is not None
    names = {pid: Path(f"/proc/{pid}/comm").read_text().strip() for pid in descendants(host.pid)}
    guest = next(pid for pid, name in names.items() if name.startswith("qemu-system"))
    os.kill(next(pid for pid, name in names.items() if name == "libvirtd"), signal.SIGKILL)

    def running() -> bool:
        try:
            fresh = opened(host)
        except libvirt.libvirtError:
            return False
        return [d.name() for d in fresh.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_RUNNING)] == ["g1"]

    eventually(running, "libvirtd answers again, and knows its guest")
    assert there({guest, host.pid}) == {guest, host.pid}


def test_the_dead_are_buried(state: Path) -> None:
    host = private.ensure("one", state)
    connection = opened(host)
    connection.networkCreateXML(NETWORK)
    connection.createXML(GUEST).destroy()
    assert host.pid is not None

    def zombies() -> list[str]:
        stats = [_read(Path(f"/proc/{pid}/stat")) for pid in descendants(host.pid or 0)]
        return [s.decode() for s in stats if b") Z " in s]

    eventually(lambda: not zombies(), "no zombies")
    connection.close()


def test_sockets_are_made_inside(state: Path) -> None:
    host = private.ensure("one", state)
    listening = host.listen("127.0.0.1", 7777)
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", 7777), 5)
    there = host.connect("127.0.0.1", 7777, LIMIT)
    here, _ = listening.accept()
    there.sendall(b"ping")
    assert here.recv(10) == b"ping"
    with pytest.raises(ConnectionRefusedError):
        host.connect("127.0.0.1", 7778, 5)
    with pytest.raises(OSError, match="assign requested address"):
        host.listen("10.1.2.3", 80)
    with pytest.raises(OSError, match="in use"):
        host.listen("127.0.0.1", 7777)
    for used in (listening, here, there):
        used.close()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def echo_when_all_is_said(listening: socket.socket, rounds: int) -> threading.Thread:
    """A server that reads to the end, and only then answers, turned round: it needs the half-closed connection."""

    def serve() -> None:
        for _ in range(rounds):
            client, _ = listening.accept()
            with client:
                said = b""
                while data := client.recv(1 << 16):
                    said += data
                client.sendall(said[::-1])

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    return thread


def through(port: int, data: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), LIMIT) as client:
        client.settimeout(LIMIT)
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := client.recv(1 << 16):
            answer += piece
        return answer


def test_a_published_port_carries_bytes_both_ways_and_half_closed(state: Path) -> None:
    host, port = private.ensure("one", state), _free_port()
    listening = host.listen("127.0.0.1", 80)
    thread = echo_when_all_is_said(listening, 4)
    host.publish("web", "127.0.0.1", port, "127.0.0.1", 80)
    assert host.published() == {"web": ("127.0.0.1", port, "127.0.0.1", 80)}
    big = os.urandom(1 << 22)
    assert through(port, big) == big[::-1]
    with ThreadPoolExecutor(3) as clients:
        assert set(clients.map(lambda n: through(port, b"%d!" % n), (1, 2, 3))) == {b"!1", b"!2", b"!3"}
    thread.join(LIMIT)
    listening.close()
    with pytest.raises(OSError, match="reset"):
        through(port, b"nobody listens any more")


def test_the_publisher_ends_with_the_last_port_or_the_host_and_comes_back_with_the_host(state: Path) -> None:
    host, ports = private.ensure("one", state), (_free_port(), _free_port())
    lock = host.paths.runtime / "publisher.lock"
    for key, port in zip("ab", ports, strict=True):
        host.publish(key, "127.0.0.1", port, "127.0.0.1", 80)
    first = processes.holder(lock)
    host.unpublish("a")
    host.unpublish("a")
    assert processes.holder(lock) == first, "one process for all ports"
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", ports[0]), 5)
    private.stop("one", state)
    assert first is not None
    eventually(lambda: not there({first}), "the publisher is gone")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", ports[1]), 5)
    host = private.ensure("one", state)
    with host.listen("127.0.0.1", 80) as listening:
        echo_when_all_is_said(listening, 1)
        assert through(ports[1], b"again") == b"niaga"
    host.unpublish("b")
    assert not processes.lives(lock)


def test_a_port_that_somebody_has_is_refused_and_not_recorded(state: Path) -> None:
    host, free = private.ensure("one", state), _free_port()
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(ExistsError, match="in use"):
        host.publish("a", "127.0.0.1", other.getsockname()[1], "127.0.0.1", 80)
    assert host.published() == {}
    assert not processes.lives(host.paths.runtime / "publisher.lock")
    host.publish("a", "127.0.0.1", free, "127.0.0.1", 80)
    with pytest.raises(ExistsError, match="published already, for a"):
        host.publish("b", "127.0.0.1", free, "127.0.0.1", 81)
    host.publish("a", "127.0.0.1", free, "127.0.0.1", 82)
    assert host.published() == {"a": ("127.0.0.1", free, "127.0.0.1", 82)}


def test_a_host_reaches_out_only_when_it_is_told_to(state: Path) -> None:
    address = _own_address()
    with socket.create_server((address, 0)) as machine:
        port = machine.getsockname()[1]
        host = private.ensure("one", state)
        with pytest.raises(OSError, match="unreachable"):
            host.connect(address, port, 5)
        host = private.ensure("one", state, outbound=True)
        assert host.routes()
        host.connect(address, port, LIMIT).close()
        assert private.ensure("one", state).outbound, "it is remembered"
        host = private.ensure("one", state, outbound=False)
        with pytest.raises(OSError, match="unreachable"):
            host.connect(address, port, 5)
        private.ensure("one", state, outbound=True)
        private.stop("one", state)
        host = private.ensure("one", state)
        host.connect(address, port, LIMIT).close()
        assert host.pid is not None
        os.kill(host.pid, signal.SIGKILL)
        eventually(lambda: not processes.lives(host.paths.runtime / "outbound.lock"), "slirp4netns ends with the host")


def _own_address() -> str:
    """An address of this machine that is not its loopback; what is sent there never leaves it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("this machine has no address but its loopback")
        return str(probe.getsockname()[0])


def test_removal_deletes_everything_but_the_layers(state: Path) -> None:
    host = private.ensure("one", state)
    opened(host).networkDefineXML(NETWORK)
    (state / "layers" / "kept").write_text("")
    private.remove("one", state)
    assert not host.paths.folder.exists()
    assert not host.paths.runtime.exists()
    assert (state / "layers" / "kept").exists()
    with pytest.raises(HostError, match="no private host one"):
        private.find("one", state)


def test_one_that_is_kept_ready_becomes_the_next_new_host_and_only_that(state: Path) -> None:
    private.ready.keep(state)
    private.ready.keep(state)
    (folder,) = (state / "hosts").glob(".ready-*")
    assert private.names(state) == []
    pid = launch.process_1(paths_of(folder.name, state))
    with ThreadPoolExecutor(2) as pool:
        two = list(pool.map(lambda name: private.ensure(name, state), ("one", "two")))
    (host,) = [h for h in two if h.pid == pid]
    assert not folder.exists()
    assert private.ready.was_taken(host.name, state)
    connection = opened(host)
    assert connection.getHostname() == host.name
    assert f"<path>{state / 'hosts' / host.name / 'volumes'}</path>" in connection.storagePoolLookupByName("default").XMLDesc(0)
    connection.networkDefineXML(NETWORK).create()
    with host.listen("10.77.0.1", 8080) as inside:
        host.publish("k", "127.0.0.1", free := _free_port(), "10.77.0.1", 8080)
        with socket.create_connection(("127.0.0.1", free), timeout=LIMIT), inside.accept()[0]:
            pass
    connection.close()
    private.stop(host.name, state)
    assert not host.paths.runtime.exists()
    assert private.ensure(host.name, state).paths.runtime == host.paths.runtime
    assert opened(host).networkLookupByName("n1")


def test_what_is_kept_ready_ends_without_a_trace_and_a_dead_one_is_not_taken(state: Path) -> None:
    private.ready.keep(state)
    (folder,) = (state / "hosts").glob(".ready-*")
    paths = paths_of(folder.name, state)
    first = launch.process_1(paths)
    assert first
    os.kill(first, signal.SIGKILL)
    eventually(lambda: not processes.lives(paths.lock), "process 1 is gone")
    assert private.ensure("one", state).paths.folder.exists()
    assert folder.exists(), "it was not taken"
    private.ready.keep(state)
    (second,) = (state / "hosts").glob(".ready-*")
    assert second != folder
    second.rename(state / "hosts" / second.name.replace(".ready-", ".ending-"))  # whoever was ending it was killed
    assert private.ready.end(state)
    assert not private.ready.end(state)
    assert {p.name for p in (state / "hosts").iterdir()} <= {"one", ".locks", ".cache"}
    assert not paths_of(second.name, state).runtime.exists()


def test_a_stop_lets_guests_shut_down(state: Path) -> None:
    try:
        image = guest_image.build("tiny", state)
    except guest_image.ImageError as error:
        pytest.skip(str(error))
    connection = opened(private.ensure("one", state))
    console = state / "hosts" / "one" / "log" / "qemu" / "console.log"
    connection.createXML(f"""<domain type='qemu'><name>g1</name><memory unit='MiB'>{image.memory}</memory><vcpu>1</vcpu>
<os><type arch='x86_64' machine='q35'>hvm</type><kernel>{image.part("kernel")}</kernel><initrd>{image.part("initrd")}</initrd>
<cmdline>{image.cmdline}</cmdline></os><features><acpi/></features><cpu mode='maximum'/>
<devices><serial type='pty'><log file='/var/log/libvirt/qemu/console.log'/></serial><memballoon model='none'/>
<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel></devices></domain>""")
    agent = "<target type='virtio' name='org.qemu.guest_agent.0' state='connected'/>"
    eventually(lambda: agent in connection.lookupByName("g1").XMLDesc(0), "the guest's agent answers")
    connection.close()
    assert private.stop("one", state, limit=LIMIT) == []
    assert "reboot: Power down" in console.read_text(errors="replace") or "terminating" in console.read_text(errors="replace")


def test_the_doctor_finds_a_private_host_in_order(state: Path) -> None:
    found = {r.check: r for r in examine("private://one", state)}
    assert {r.status for r in found.values()} <= {"ok", "warning"}
    assert {"packages", "namespaces", "host", "pool default", "pool se-layers", "network", "accelerator"} <= set(found)
    host = private.find("one", state)
    connection = opened(host)
    assert host.accelerator(connection) == ("kvm" if found["accelerator"].status == "ok" else "qemu")
    assert connection.listAllDomains() == []
    assert connection.listAllNetworks() == []
    connection.close()


def test_where_namespaces_are_refused_that_is_said_and_nothing_is_left(state: Path) -> None:
    if os.getuid():
        pytest.skip("takes a right away that a plain user never had")
    without = ["setpriv", "--bounding-set", "-sys_admin", "--inh-caps", "-sys_admin"]
    script = "import sys; from pathlib import Path\nfrom stackengine.hosts import private\nfrom stackengine.sdk import HostError\n"
    script += "try: private.ensure('one', Path(sys.argv[1]))\nexcept HostError as e: print(e, e.hint)"
    said = subprocess.run([*without, sys.executable, "-c", script, str(state)], capture_output=True, text=True, check=True).stdout
    assert "Operation not permitted" in said
    assert "memory://" in said
    assert not private.find("one", state).paths.runtime.exists()


def test_all_of_it_as_a_plain_user(tmp_path_factory: pytest.TempPathFactory) -> None:
    if os.getuid():
        pytest.skip("the tests above ran as a plain user")
    if Path("/dev/net/tun").stat().st_mode & 0o006 != 0o006:
        pytest.skip("/dev/net/tun is closed to plain users here")
    name = f"se-test-{os.getpid()}"
    subprocess.run(["useradd", "--create-home", name], check=True, capture_output=True)
    try:
        user = pwd.getpwnam(name)
        python = next((p for p in (sys.executable, "/usr/bin/python3") if _can_run(p, name)), None)
        if python is None:
            pytest.skip("no interpreter of this version that a plain user can run, or the checkout is closed to others")
        command = [*_as(name), python, "-m", "pytest", "-p", "no:cacheprovider", "--basetemp", f"{user.pw_dir}/t", __file__, "-k", "not doctor"]
        result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=REPOSITORY)
        assert result.returncode == 0, result.stdout + result.stderr
        assert " passed" in result.stdout
        shutil.rmtree(f"/tmp/stackengine-{user.pw_uid}", ignore_errors=True)
    finally:
        subprocess.run(["userdel", "--remove", name], check=True, capture_output=True)


def _as(name: str) -> list[str]:
    places = os.pathsep.join([str(REPOSITORY), sysconfig.get_paths()["purelib"], sysconfig.get_paths()["platlib"]])
    clean = ["env", "-i", f"HOME=/home/{name}", f"USER={name}", "PATH=/usr/bin:/bin", f"PYTHONPATH={places}"]
    return ["setpriv", f"--reuid={name}", f"--regid={name}", "--init-groups", *clean]


def _can_run(python: str, name: str) -> bool:
    same = f"import sys, pytest, libvirt, stackengine; sys.exit(sys.version_info[:2] != {sys.version_info[:2]})"
    return subprocess.run([*_as(name), python, "-c", same], capture_output=True, check=False).returncode == 0
