"""Files of other machines: fetched where the owner allows their address, from a real server on this one."""

from __future__ import annotations

import hashlib
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stackengine import formats
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


@pytest.fixture
def site() -> Iterator[str]:
    pages = {"/t/types.yaml": TYPES.encode(), "/t/more/below.yaml": BELOW.encode(), "/t/child.yaml": CHILD.encode(), "/t/text": b"hello",
             "/t/local.yaml": b"tosca_definitions_version: tosca_2_0\nimports: ['file:///etc/hostname']\n", "/secret": b"no",
             "/t/inc.yaml": b"Resources: {V: {Type: 'SE::None'}}", "/t/large": b"x" * (fetching.MAX_BYTES + 1), "/t/binary": b"\xff\xfe"}  # fmt: skip
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
