"""Security groups: rules become filters, members follow, and nothing stays when they go."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from stackengine import service
from stackengine.model.diagnostics import InvalidTemplateError
from stackengine.service import stacks
from stackengine.service.types import Request, Settings

pytestmark = pytest.mark.thorough

HEAD = "heat_template_version: 2018-08-31\nresources:\n  net: {type: 'SE::Network', properties: {cidr: 10.90.0.0/24}}\n"
WEB = "  web: {type: 'OS::Neutron::SecurityGroup', properties: {rules: [{protocol: tcp, port_range_min: 80, port_range_max: 80}]}}\n"
SERVER = "  %s:\n    type: SE::Server\n    properties: {image: tiny, networks: [{network: {get_resource: net}, address: %s}], security_groups: %s}\n"
PORT = "  port: {type: 'OS::Neutron::Port', properties: {network: {get_resource: net}, security_groups: %s}}\n"
ON_PORT = "  server: {type: 'OS::Nova::Server', properties: {image: tiny, flavor: tiny, networks: [{port: {get_resource: port}}]}}\n"


class Life:
    """One stack on a memory host."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.template = folder, folder / "stack.yaml"

    def up(self, *parts: str) -> dict[str, str]:
        """The actions that it took, by path."""
        self.template.write_text("".join([HEAD, *parts]))
        with service.open(Settings(state=str(self.folder / "state"), host="memory://")) as session:
            preview = stacks.preview(session, Request("s", self.template))
            result = stacks.carry_out(session, preview)
            assert result.status == "complete", result.failures
            return {a.path: a.verb for a in preview.plan.actions.values()}

    def filters(self) -> dict[str, str]:
        with service.open(Settings(state=str(self.folder / "state"), host="memory://")) as session:
            return {f.name: f.xml for f in session.host("memory://").filter_list()}

    def group(self, path: str) -> str:
        return next(xml for name, xml in self.filters().items() if name.startswith(f"se-s-{path}-"))

    def interfaces(self) -> dict[str, str]:
        return {name: xml for name, xml in self.filters().items() if name.startswith("se-nic-")}

    def live(self) -> str:
        with service.open(Settings(state=str(self.folder / "state"), host="memory://")) as session:
            return "".join(d.live_xml for d in session.host("memory://").domain_list())


@pytest.fixture
def life(tmp_path: Path) -> Life:
    return Life(tmp_path)


def rules(xml: str) -> list[tuple[str, str]]:
    return re.findall(r"direction='(\w+)' priority='500'>\s*<([^/]+)/>", xml)


def test_a_rule_is_a_filter_rule_and_what_goes_out_passes_where_nothing_else_is_said(life: Life) -> None:
    life.up(WEB)
    assert rules(life.group("web")) == [("in", "tcp dstportstart='80' dstportend='80'"), ("out", "all"), ("out", "all-ipv6")]


def test_a_server_in_a_group_has_a_filter_on_its_interface_from_its_first_packet_on(life: Life) -> None:
    life.up(WEB, SERVER % ("a", "10.90.0.10", "[{get_resource: web}]"))
    (name,) = life.interfaces()
    assert f'<filterref filter="{name}"' in life.live()


def test_whoever_joins_a_group_is_let_in_by_rules_that_name_it(life: Life) -> None:
    db = "  db: {type: 'OS::Neutron::SecurityGroup', properties: {rules: [{protocol: tcp, remote_group_id: {get_resource: web}}, {direction: egress}]}}\n"
    life.up(WEB, db, SERVER % ("a", "10.90.0.10", "[{get_resource: web}]"))
    assert rules(life.group("db"))[0] == ("in", "tcp srcipaddr='10.90.0.10' srcipmask='32'")
    done = life.up(WEB, db, SERVER % ("a", "10.90.0.10", "[{get_resource: web}]"), SERVER % ("b", "10.90.0.11", "[{get_resource: web}]"))
    assert done["db"] == "update"
    assert [r[1] for r in rules(life.group("db"))[:2]] == ["tcp srcipaddr='10.90.0.10' srcipmask='32'", "tcp srcipaddr='10.90.0.11' srcipmask='32'"]


def test_two_groups_may_name_each_other_by_rules_of_their_own(life: Life) -> None:
    pair = "".join(f"  {n}: {{type: 'SE::SecurityGroup'}}\n" for n in ("one", "two"))
    rule = "  r%s: {type: 'SE::SecurityGroupRule', properties: {security_group: {get_resource: %s}, group: {get_resource: %s}}}\n"
    servers = SERVER % ("a", "10.90.0.10", "[{get_resource: one}]") + SERVER % ("b", "10.90.0.11", "[{get_resource: two}]")
    life.up(pair, rule % (1, "one", "two"), rule % (2, "two", "one"), servers)
    assert rules(life.group("one")) == [("in", "all srcipaddr='10.90.0.11' srcipmask='32'")]
    assert rules(life.group("two")) == [("in", "all srcipaddr='10.90.0.10' srcipmask='32'")]


def test_a_port_changes_its_groups_while_its_server_runs(life: Life) -> None:
    life.up(WEB, PORT % "[]", ON_PORT)
    (guard,) = life.interfaces().values()
    assert "<filterref" not in guard
    done = life.up(WEB, PORT % "[{get_resource: web}]", ON_PORT)
    assert (done["port"], done["server"]) == ("update", "update")
    ((name, xml),) = life.interfaces().items()
    assert name in life.live()
    assert "<filterref" in xml
    life.up(WEB, PORT % "[]", ON_PORT)
    assert "<filterref" not in life.interfaces()[name]
    open_port = ON_PORT.replace("'OS::Nova::Server', properties: {", "'SE::Server', properties: {anti_spoofing: false, ")
    life.up(WEB, PORT % "[]", open_port)
    assert life.interfaces() == {}
    assert "filterref" not in life.live()
    life.up(WEB, PORT % "[]", ON_PORT)
    assert name in life.live()


def test_a_replaced_server_takes_its_port_along_with_filters_of_its_own(life: Life) -> None:
    life.up(WEB, PORT % "[{get_resource: web}]", ON_PORT)
    (before,) = life.interfaces()
    life.up(WEB, PORT % "[{get_resource: web}]", ON_PORT.replace("flavor: tiny", "flavor: tiny, user_data: other"))
    (after,) = life.interfaces()
    assert before != after
    assert after in life.live()


def test_nothing_is_left_of_groups_and_filters_that_go(life: Life) -> None:
    life.up(WEB, PORT % "[{get_resource: web}]", ON_PORT)
    life.up(PORT % "[]", ON_PORT)
    assert [n for n in life.filters() if not n.startswith("se-nic-")] == []
    life.up(WEB, PORT % "[{get_resource: web}]", ON_PORT)
    life.up()
    assert life.filters() == {}


@pytest.mark.parametrize(
    ("rule", "what"),
    [
        ("{protocol: gre}", "cannot be filtered"),
        ("{protocol: tcp, from_port: 90, to_port: 80}", "is above"),
        ("{protocol: tcp, from_port: 90}", "come together"),
        ("{from_port: 80, to_port: 80}", "need a protocol"),
        ("{cidr: 10.0.0.0/8, group: self}", "not both"),
        ("{cidr: 'fd00::/8'}", "no ipv4 range"),
        ("{cidr: everywhere}", "no range"),
        ("{protocol: icmpv6}", "does not go with ipv4"),
    ],
)
def test_a_rule_that_makes_no_sense_is_an_error_in_the_template(life: Life, rule: str, what: str) -> None:
    with pytest.raises(InvalidTemplateError) as found:
        life.up(f"  g: {{type: 'SE::SecurityGroup', properties: {{rules: [{rule}]}}}}\n")
    wrong: Any = found.value.diagnostics.errors
    assert any(what in d.summary for d in wrong), [d.summary for d in wrong]


def test_a_group_of_elsewhere_is_said_to_filter_nothing(life: Life) -> None:
    life.template.write_text(HEAD + SERVER % ("a", "10.90.0.10", "[other]"))
    with service.open(Settings(state=str(life.folder / "state"), host="memory://")) as session:
        preview = stacks.preview(session, Request("s", life.template))
    assert any("no security group other" in d.summary and d.severity == "warning" for d in preview.diagnostics)
