"""What the owner of a machine allows: read outside any checkout, nothing by default, and what is not in order is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from stackengine import service
from stackengine.model.allowed import NOTHING, Allowed
from stackengine.model.diagnostics import InvalidTemplateError
from stackengine.service import owner
from stackengine.service.types import Request, ServiceError, Settings

TEMPLATE = """heat_template_version: 2018-08-31
resources:
  image: {type: 'SE::Image', properties: {source: '%s'}}
"""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    file = tmp_path / "config" / "stackengine" / "owner.yaml"
    file.parent.mkdir(parents=True)
    return file


def codes_of_plan(tmp_path: Path, source: str) -> list[str]:
    folder = tmp_path / "checkout"
    folder.mkdir(exist_ok=True)
    template = folder / "stack.yaml"
    template.write_text(TEMPLATE % source)
    from stackengine.service import stacks

    with service.open(Settings(state=str(tmp_path / "state"), host="memory://")) as session:
        try:
            preview = stacks.preview(session, Request("one", template))
        except InvalidTemplateError as error:
            return [d.code for d in error.diagnostics.errors]
    found: str = preview.desired.resources["image"].properties["source"]
    return [found]


def test_an_image_beside_the_template_is_opened_by_its_absolute_path(tmp_path: Path, config: Path) -> None:
    assert codes_of_plan(tmp_path, "images/disk.qcow2") == [str(tmp_path / "checkout" / "images" / "disk.qcow2")]


def test_a_host_is_kept_ready_unless_somebody_minds(config: Path) -> None:
    assert owner.keeps_ready()
    config.write_text("ready_hosts: 0\n")
    assert not owner.keeps_ready()
    config.write_text("ready_hosts: 7\n")
    with pytest.raises(ServiceError, match="ready_hosts is not in order"):
        owner.keeps_ready()


@pytest.mark.parametrize("source", ["/etc/hosts", "file:///etc/hosts", "../outside.qcow2"])
def test_a_file_elsewhere_is_refused_until_the_owner_allows_it(tmp_path: Path, config: Path, source: str) -> None:
    assert codes_of_plan(tmp_path, source) == ["X101"]
    config.write_text(f"allow: {{files: [/etc, {tmp_path}]}}\n")
    assert codes_of_plan(tmp_path, source) == [str((tmp_path / "checkout" / source.removeprefix("file://")).resolve())]


def test_a_link_out_of_the_folder_is_followed_before_it_is_judged(tmp_path: Path, config: Path) -> None:
    (tmp_path / "checkout").mkdir()
    (tmp_path / "checkout" / "disk").symlink_to("/etc/hosts")
    assert codes_of_plan(tmp_path, "./disk") == ["X101"]


def test_names_and_addresses_are_no_files(tmp_path: Path, config: Path) -> None:
    assert codes_of_plan(tmp_path, "tiny") == ["tiny"]
    assert codes_of_plan(tmp_path, "http://127.0.0.1:1/x.qcow2") == ["http://127.0.0.1:1/x.qcow2"]


@pytest.mark.parametrize("text", ["allow: [files]", "allow: {files: /etc}", "allow: {everything: [x]}", "deny: {}", "a: [", "allow: {files: [1]}"])
def test_a_file_that_is_not_in_order_stops_everything(config: Path, text: str) -> None:
    config.write_text(text)
    with pytest.raises(ServiceError, match=r"owner\.yaml"):
        owner.allowed()


def test_nothing_is_allowed_by_default(config: Path) -> None:
    assert owner.allowed() == NOTHING


def test_a_url_prefix_ends_at_a_slash() -> None:
    allowed = Allowed(urls=("https://a.example/t",))
    assert allowed.may_call("https://a.example/t/x.yaml")
    assert not allowed.may_call("https://a.example/txt")
    assert not Allowed(urls=("https://a.example",)).may_call("https://a.example.evil/")


def test_a_folder_allows_what_is_below_it_and_no_more() -> None:
    allowed = Allowed(files=("/srv/images",))
    assert allowed.may_read("/srv/images/a/b.qcow2")
    assert not allowed.may_read("/srv/images-of-others/a")
