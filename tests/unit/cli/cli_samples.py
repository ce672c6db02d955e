"""A plan, its events and results, built by hand: what the renderers get from the service."""

from __future__ import annotations

from typing import Any

from stackengine.engine.ports import Failure
from stackengine.events import Event
from stackengine.model.desired import Dependency, Desired, DesiredOutput, DesiredResource
from stackengine.model.diagnostics import Diagnostic, Diagnostics
from stackengine.model.expr import Attr, Literal
from stackengine.model.instance import Instance, Recorded
from stackengine.model.mark import Mark
from stackengine.model.template import Source
from stackengine.model.values import SecretRef, Unknown
from stackengine.planning.plan import Action, Change, Edge, Plan
from stackengine.sdk import Gate
from stackengine.service.types import OperationResult, Preview, ResourceView, StackSummary, StackView

HOST = "private://default"
TEMPLATE = """\
heat_template_version: 2021-04-16
resources:
  net:
    type: OS::Neutron::Net
  db:
    type: OS::Nova::Server
    properties:
      image: tiny
      flavor: m1.big
      user_data: |
        #cloud-config
        runcmd: [serve]
  web:
    type: OS::Nova::Server
    properties:
      image: tiny
      sizee: 10
"""
FILE = "lamp/stack.yaml"


def mark(line: int, col: int = 3, length: int = 2) -> Mark:
    return Mark(FILE, line, col, line, col + length)


def instance(path: str, kind: str, generation: int = 1, properties: dict[str, Any] | None = None, **identity: str) -> Instance:
    ids = {"physical_id": f"se-lamp-{path}-{generation}", **identity}
    return Instance(path, generation, kind, ids, properties or {}, host=HOST, sure=True, status="ready")


ADDRESS = Unknown(Attr("net", (Literal("gateway"),)))


def plan() -> Plan:
    """An update with one of everything."""
    net = instance("net", "SE::Network", properties={"cidr": "10.1.0.0/24", "dns": [], "domain": None}, cidr="10.1.0.0/24")
    db_old = instance("db", "SE::Server", properties={"memory": 512})
    db = instance("db", "SE::Server", properties={"memory": 1024})
    web_old, web = instance("web", "SE::Server"), instance("web", "SE::Server", 2, {"image": "debian-12", "cpus": 2, "gateway": ADDRESS}, address="10.1.0.9")
    secret = instance("password", "SE::RandomString", properties={"length": 32, "value": SecretRef("ab12")})
    key = instance("key", "SE::KeyPair")
    old_net = instance("old_net", "SE::Network")
    script = ("#cloud-config\nruncmd: [serve]\n", "#cloud-config\nruncmd: [serve, --fast]\n")
    actions = [
        Action("create:net@1", "create", net, "not there yet", mark=mark(3)),
        Action("create:password@1", "create", secret, "not there yet", (Edge("create:net@1", "configured", "properties.net"),)),
        Action(
            "update:db@1",
            "update",
            db,
            "properties differ",
            (Edge("create:net@1", "configured", "properties.networks"),),
            (
                Change("memory", 512, 1024, "reboot", "no hot-plug slots", mark(9)),
                Change("user_data", *script, "reboot"),
                Change("tags.owner", "a", "b", "live"),
            ),
            "reboot",
            gate=Gate("signal", 300, handle="h", count=2),
            previous=db_old,
            mark=mark(5),
            holds_data=True,
        ),
        Action("stop:web@1", "stop", web_old, "hands its port over to generation 2", (Edge("update:db@1", "ready", "depends_on"),)),
        Action(
            "create:web@2",
            "create",
            web,
            "image is fixed at creation",
            (Edge("update:db@1", "ready", "depends_on"), Edge("stop:web@1", "done", "hand-over")),
            (Change("image", "tiny", "debian-12", "replace", "fixed at creation", mark(16)),),
            "replace",
            previous=web_old,
            mark=mark(13, 3, 3),
            notes=("the new server gets a new MAC",),
            gate=Gate("lease", 600),
        ),
        Action("release:key@1:net@1", "release", key, "lets go before the delete", phase="early", of="old_net@1"),
        Action("delete:web@1", "delete", web_old, "replaced by generation 2", (Edge("create:web@2", "ready"),), phase="tail", holds_data=True),
        Action("delete:old_net@1", "delete", old_net, "not in the template", (Edge("delete:web@1", "done", "holds it"),), phase="tail"),
        Action("retain:key@1", "retain", key, "not in the template, policy Retain", phase="tail"),
    ]
    outputs = {"url": Unknown(Attr("web", (Literal("address"),))), "cidr": "10.1.0.0/24", "password": SecretRef("ab12")}
    return Plan({a.id: a for a in actions}, unchanged=("image@1",), outputs=outputs)


def desired() -> Desired:
    resources = [
        DesiredResource("net", "SE::Network", {}, foreign_type="OS::Neutron::Net"),
        DesiredResource("db", "SE::Server", {}, (Dependency("net", "configured", "properties.networks"),), foreign_type="OS::Nova::Server"),
        DesiredResource(
            "web",
            "SE::Server",
            {},
            (
                Dependency("db", "ready", "depends_on"),
                Dependency("db", "configured", "properties.user_data"),
                Dependency("net", "configured", "properties.networks"),
            ),
        ),
        DesiredResource("done", "SE::WaitCondition", {}, (Dependency("web", "ready", "depends_on"),)),
    ]
    return Desired({r.path: r for r in resources}, {"url": DesiredOutput("url", "http://10.1.0.9/")})


def diagnostics() -> list[Diagnostic]:
    """Out of order on purpose."""
    return [
        Diagnostic("V103", "unknown property 'sizee'", mark(17, 7, 5), "did you mean 'size'?", detail="SE::Server has: cpus, image, memory, size"),
        Diagnostic("V210", "'m1.big' is no flavor", mark(9, 15, 6), "", "warning"),
        Diagnostic("P101", "parameter 'key' needs a value", hint="say --param key=VALUE"),
        Diagnostic("H007", "'scheduler_hints' has no effect here: one host", mark(13, 3, 3), severity="notice"),
    ]


def preview(of: Plan | None = None, **more: object) -> Preview:
    members: dict[str, Any] = {
        "stack": "lamp",
        "kind": "update",
        "plan": plan() if of is None else of,
        "desired": desired(),
        "recorded": Recorded(),
        "diagnostics": Diagnostics(),
        "host": HOST,
        "from_revision": 3,
        "to_revision": 4,
        "sources": (Source(FILE, TEMPLATE),),
    }
    return Preview(**(members | more))


FAILURE = Failure(
    "create:web@2",
    "internal error: process exited while connecting to monitor:\nqemu-system-x86_64: cannot set up guest memory 'pc.ram'",
    "give the server less memory, or stop others: `stack-run ls`",
    HOST,
    1,
    "[    0.000000] Linux version 6.1\n[    4.2] login:\n",
    "SE::Server",
    mark(13, 3, 3),
)


def result(**more: object) -> OperationResult:
    members: dict[str, Any] = {"operation": "op1", "kind": "update", "status": "complete", "revision": 4, "elapsed": 75.2, "outputs": {"url": "http://10.1.0.9/"}}
    return OperationResult(**(members | more))


def event(what: str, /, path: str = "", verb: str = "", at: float = 0.0, generation: int = 1, **payload: object) -> Event:
    return Event(what, path, generation if path else 0, verb, dict(payload), 1_700_000_000 + at, "op1", "lamp", int(at * 10) + 1)  # type: ignore[arg-type]


def history(*, fails: bool = True) -> list[Event]:
    """The events of that plan's walk; with a failure and its rollback, or without."""
    events = [
        event("operation.started", at=0, kind="update", from_revision=3, to_revision=4),
        event("action.begin", "net", "create", 0.1),
        event("action.configured", "net", "create", 1.2, attributes={}),
        event("action.ready", "net", "create", 1.2),
        event("action.begin", "password", "create", 1.3),
        event("action.configured", "password", "create", 1.3),
        event("action.ready", "password", "create", 1.4),
        event("action.begin", "db", "update", 1.4),
        event("action.attempt", "db", "update", 2.0, call="virDomainShutdown", host="private://lab", message="timed out", code=68, number=2, wait=0.4),
        event("action.progress", "db", "update", 4.0, message="rebooting"),
        event("action.configured", "db", "update", 8.0),
        event("signal.received", "db", "update", 15, id="1", status="SUCCESS"),
        event("action.ready", "db", "update", 20.0),
        event("action.begin", "web", "stop", 20.1),
        event("action.done", "web", "stop", 22.0),
        event("action.begin", "web", "create", 22.1, 2),
    ]
    if not fails:
        return [
            *events,
            event("action.configured", "web", "create", 24, 2),
            event("action.ready", "web", "create", 31, 2),
            event("action.begin", "web", "delete", 31.1),
            event("action.done", "web", "delete", 32),
            event("action.skipped", "old_net", "delete", 32.1, reason="gone already"),
            event("operation.finished", at=32.2, status="complete"),
        ]
    error = {"code": "refused", "message": FAILURE.message, "host": HOST, "libvirt_code": 1}
    return [
        *events,
        event("action.failed", "web", "create", 25.0, 2, error=error),
        event("operation.finished", at=25.1, status="failed", reason="create:web@2 failed"),
        event("operation.started", at=25.2, kind="rollback", from_revision=4, to_revision=3),
        event("action.begin", "web", "delete", 25.3, 2),
        event("action.done", "web", "delete", 26.0, 2),
        event("action.begin", "web", "update", 26.1),
        event("action.configured", "web", "update", 27.0),
        event("action.ready", "web", "update", 29.0),
        event("operation.finished", at=29.1, status="complete"),
    ]


SUMMARY = StackSummary("lamp", "5b0c", "complete", HOST, 4, "hot", 3, 1_700_000_000.5, "update", "")


def view() -> StackView:
    server = ResourceView(
        "web",
        "SE::Server",
        "OS::Nova::Server",
        "ready",
        "running",
        2,
        "0e1a",
        HOST,
        {"image": "tiny", "admin_password": SecretRef("x1")},
        {"address": "10.1.0.9"},
        ("net", "db"),
    )
    network = ResourceView("net", "SE::Network", "", "ready", "running", 1, "77aa", HOST, {}, {})
    return StackView(
        SUMMARY,
        "A lamp.",
        (network, server),
        {"url": DesiredOutput("url", "http://10.1.0.9/", "where to look"), "password": DesiredOutput("password", "hunter2", sensitive=True)},
        {"flavor": "m1.big"},
        ({"number": 4, "created_at": 1_700_000_000.0, "status": "complete", "language": "hot", "template": "stack.yaml"},),
    )
