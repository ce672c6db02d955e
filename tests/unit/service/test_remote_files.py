"""Files of other machines: fetched where the owner allows their address, from a real server on this one."""

from __future__ import annotations

import hashlib
import http.server
import io
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stackengine import formats
from stackengine.cli.main import main
from stackengine.model.allowed import NOTHING, Allowed
from stackengine.model.diagnostics import Diagnostics, InvalidTemplateError
from stackengine.service import fetch as fetching
from stackengine.service import sources
from stackengine.service.fetch import fetch
from stackengine.service.remote_files import RemoteReader

TYPES = "tosca_definitions_version: tosca_2_0\nimports: [more/below.yaml]\nnode_types: {Here: {derived_from: Below}}\n"
BELOW = "tosca_definitions_version: tosca_2_0\nnode_types: {Below: {}}\n"
CHILD = "heat_template_version: 2018-08-31\nresources: {inner: {type: OS::Heat::Value, properties: {value: 1}}}\n"


class Served(http.server.BaseHTTPRequestHandler):
    """Answers by path."""

    pages: dict[str, bytes]

    def do_GET(self) -> None:
        if self.path.startswith("/to/"):
            self.send_response(302)
            self.send_header("Location", self.path.removeprefix("/to/"))
            self.end_headers()
            return
        body = self.pages.get(self.path)
        self.send_response(200 if body is not None else 404)
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        self.wfile.write(body or b"")

    def log_message(self, *_: Any) -> None:
        """Nothing is printed."""


def archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        made.writestr("app.yaml", "tosca_definitions_version: tosca_simple_yaml_1_3\nmetadata: {template_name: a, template_version: '1.0'}\n"
                      "imports: [more/types.yaml]\ntopology_template: {node_templates: {n: {type: N}}}\n")  # fmt: skip
        made.writestr("more/types.yaml", "tosca_definitions_version: tosca_simple_yaml_1_3\nnode_types: {N: {derived_from: tosca.nodes.Root}}\n")
    return buffer.getvalue()


@pytest.fixture
def site() -> Iterator[str]:
    pages = {"/t/types.yaml": TYPES.encode(), "/t/more/below.yaml": BELOW.encode(), "/t/child.yaml": CHILD.encode(), "/t/text": b"hello",
             "/t/local.yaml": b"tosca_definitions_version: tosca_2_0\nimports: ['file:///etc/hostname']\n", "/secret": b"no",
             "/t/inc.yaml": b"Resources: {V: {Type: 'SE::None'}}", "/t/large": b"x" * (fetching.MAX_BYTES + 1), "/t/binary": b"\xff\xfe",
             "/t/app.csar": archive()}  # fmt: skip
    handler = type("Handler", (Served,), {"pages": pages})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def read(tmp_path: Path, text: str, allowed: Allowed) -> tuple[Any, list[str]]:
    file = tmp_path / "t.yaml"
    file.write_text(text)
    diagnostics = Diagnostics()
    try:
        found = sources.read_template(file, diagnostics, allowed)
    except InvalidTemplateError:
        found = None
    return found, [f"{d.code} {d.summary}" for d in diagnostics if d.severity != "notice"]


def test_imports_and_what_they_import(tmp_path: Path, site: str) -> None:
    text = f"tosca_definitions_version: tosca_2_0\nimports: ['{site}/t/types.yaml']\nservice_template: {{node_templates: {{n: {{type: Here}}}}}}\n"
    found, said = read(tmp_path, text, Allowed(urls=(f"{site}/t/",)))
    assert said == []
    assert {s.name for s in found.sources} == {str(tmp_path / "t.yaml"), f"{site}/t/types.yaml", f"{site}/t/more/below.yaml"}
    assert read(tmp_path, text, NOTHING)[1][0].startswith(f"X121 the import of {site}/t/types.yaml is refused")


def test_what_comes_from_elsewhere_reads_nothing_here(tmp_path: Path, site: str) -> None:
    text = f"tosca_definitions_version: tosca_2_0\nimports: ['{site}/t/local.yaml']\n"
    assert f"{site}/etc/hostname is on another machine" in read(tmp_path, text, Allowed(urls=(f"{site}/t",)))[1][0]
    with pytest.raises(ValueError, match="names a file of this machine"):
        RemoteReader(formats.NoReader(), NOTHING).read("file:///etc/hostname", f"{site}/t/x.yaml")


def test_files_nested_templates_and_includes(tmp_path: Path, site: str) -> None:
    allowed = Allowed(urls=(f"{site}/t/",))
    hot = f"heat_template_version: 2018-08-31\nresources: {{a: {{type: '{site}/t/child.yaml'}}}}\noutputs: {{o: {{value: {{get_file: '{site}/t/text'}}}}}}\n"
    found, said = read(tmp_path, hot, allowed)
    assert (said, found.outputs["o"].value.value) == ([], "hello")
    cfn = "Resources: {{S: {{Type: 'AWS::CloudFormation::Stack', Properties: {{TemplateURL: '{}'}}}}}}".format(f"{site}/t/inc.yaml")
    found, said = read(tmp_path, cfn, allowed)
    assert said == []
    assert list(found.resources["S"].nested.template.resources) == ["V"]
    assert read(tmp_path, cfn, NOTHING)[1][0].startswith("C141")
    included = f"Fn::Transform: {{Name: AWS::Include, Parameters: {{Location: '{site}/t/inc.yaml'}}}}"
    assert list(read(tmp_path, included + "\nAWSTemplateFormatVersion: 2010-09-09\n", allowed)[0].resources) == ["V"]


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("/secret", "does not allow"), ("/t/../secret", "'..'"), ("/t/%2e%2e/secret", "'..'"), ("/t/nothing", "answers 404"), ("/t/large", "larger than 8 MiB"),
        ("/to//secret", "does not allow"), ("/t/text#sha256=" + "0" * 64, "is not what was asked for"), ("/t/text#md5=1", "64 hexadecimal digits"),
    ],
)  # fmt: skip
def test_refused(site: str, address: str, why: str) -> None:
    with pytest.raises(ValueError, match=r"(?s).*") as refused:
        fetch(site + address, Allowed(urls=(f"{site}/t", f"{site}/to")))
    assert why in str(refused.value)


def test_allowed(site: str) -> None:
    allowed = Allowed(urls=(f"{site}/t", f"{site}/to"))
    assert fetch(f"{site}/to//t/text", allowed) == b"hello"
    assert fetch(f"{site}/t/text#sha256={hashlib.sha256(b'hello').hexdigest()}", allowed) == b"hello"


def test_private_addresses_are_for_hosts_that_the_owner_names(site: str) -> None:
    with pytest.raises(ValueError, match="private address"):
        fetch(f"{site}/t/text", Allowed(urls=("http:/",)))


def test_an_archive_by_its_address_is_fetched_once_the_owner_allows_it(
    site: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    address = f"{site}/t/app.csar"
    for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    words = ["--state", str(tmp_path), "validate"]
    assert main([*words, address]) == 1
    assert "does not allow its address" in capsys.readouterr().err
    owner = tmp_path / "XDG_CONFIG_HOME/stackengine/owner.yaml"
    owner.parent.mkdir(parents=True)
    owner.write_text(f"allow: {{urls: ['{site}/']}}\n")
    assert main([*words, address]) == 0
    assert main([*words, f"{address}#sha256={'0' * 64}"]) == 1
    assert "is not what was asked for" in capsys.readouterr().err
    assert main([*words, f"{site}/t/text"]) == 2
    kept = [p.name for p in (tmp_path / "XDG_CACHE_HOME").rglob("*") if p.is_file()]
    assert kept == ["app.csar"]
