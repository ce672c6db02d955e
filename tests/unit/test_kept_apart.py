"""What a name, a length, a key or a password must not do."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from stackengine.cli.main import main
from stackengine.hosts import open_host
from stackengine.hosts.images import ImageError, Images
from stackengine.hosts.private.paths import paths_of
from stackengine.sdk import HostError
from stackengine.service.session import place_of_state
from stackengine.store.database import Database
from stackengine.store.errors import StoreError
from stackengine.store.vault import load_key


@pytest.mark.parametrize("name", ["../../x", "a/b", "..", "a b", "x" * 64])
def test_a_simulated_host_has_a_name_that_names_no_other_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(HostError, match="is no name of a host"):
        open_host(f"memory://{name}", tmp_path)


def test_a_damaged_simulated_host_says_which_file_it_is(tmp_path: Path) -> None:
    (tmp_path / "memory").mkdir()
    (tmp_path / "memory" / "x.json").write_text("{")
    with pytest.raises(HostError, match=r"x\.json cannot be read"):
        open_host("memory://x", tmp_path).domain_list()


def test_a_file_without_a_slash_is_no_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "disk").symlink_to("/etc/hostname")
    with pytest.raises(ImageError, match="no image named 'disk'"):
        Images(tmp_path).lookup("disk")


def test_many_first_commands_have_one_whole_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STACKENGINE_KEY", raising=False)
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: load_key(tmp_path), range(32)))
    assert [len(k) for k in keys] == [32]
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    assert [p.name for p in tmp_path.iterdir()] == ["key"]


def test_half_a_key_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STACKENGINE_KEY", raising=False)
    (tmp_path / "key").write_bytes(b"")
    with pytest.raises(StoreError, match="is no key"):
        load_key(tmp_path)


def test_no_message_shows_the_password_of_a_database() -> None:
    pytest.importorskip("psycopg")
    with pytest.raises(StoreError) as found:
        Database("postgresql+psycopg://me:s3cret@127.0.0.1:9/x")
    assert "s3cret" not in str(found.value)


@pytest.mark.parametrize("words", [["stop", "shop", "--remote", "ssh://there"], ["repair", "shop", "--remote", "ssh://there"]])
def test_what_is_not_done_on_a_remote_is_not_done_here_either(words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*words, "--state", str(tmp_path)]) == 2
    assert "is not done on a remote" in capsys.readouterr().err


def test_a_remote_of_the_environment_counts_for_every_stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("STACKENGINE_REMOTE", "ssh://there")
    assert main(["stop", "shop", "--state", str(tmp_path)]) == 2
    assert "is not done on a remote" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["drift", "repair"])
def test_a_remote_of_the_project_counts_too(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("STACKENGINE_REMOTE", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "stackengine.yaml").write_text("name: shop\nremote: ssh://there\n")
    assert main([command, "--state", str(tmp_path)]) == 2
    assert "is not done on a remote" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["ls"], ["env", "ls"], ["env", "cuts"], ["env", "reap"], ["show"], ["show", "x"], ["down", "x", "--yes"], ["up", "t.yaml", "--yes"],
        ["plan", "t.yaml", "--name", "x"], ["env", "down", "x", "--repo", "r", "--branch", "b", "--commit", "c"],
    ],
)  # fmt: skip
def test_a_project_with_a_remote_sends_every_command_there(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("STACKENGINE_REMOTE", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "stackengine.yaml").write_text("name: shop\nremote: ssh://there\ntemplate: t.yaml\n")
    (tmp_path / "t.yaml").write_text("heat_template_version: 2021-04-16\n")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "ssh").write_text("#!/bin/sh\necho asked to go there >&2\nexit 255\n")
    (tmp_path / "bin" / "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/usr/bin:/bin")
    assert main([*words]) != 0
    assert "asked to go there" in capsys.readouterr().err


def test_which_settings_count_here_is_said_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("STACKENGINE_REMOTE", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "stackengine.yaml").write_text("name: shop\nremote: ssh://there\n")
    assert main(["show", "--config"]) == 0
    assert "ssh://there" in capsys.readouterr().out


def test_a_source_that_somebody_says_later_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = "{type: 'SE::Image', properties: {source: {get_attr: [said, value]}}}"
    (tmp_path / "t.yaml").write_text(f"heat_template_version: 2021-04-16\nresources:\n  said: {{type: 'OS::Heat::RandomString'}}\n  image: {said}\n")
    assert main(["plan", str(tmp_path / "t.yaml"), "--host", "memory://", "--state", str(tmp_path)]) != 0
    assert "X124" in capsys.readouterr().err


def test_a_state_folder_is_the_same_by_whatever_path_somebody_comes(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "link").symlink_to("state")
    assert paths_of("one", tmp_path / "link") == paths_of("one", tmp_path / "state")
    assert place_of_state(str(tmp_path / "link")) == place_of_state(str(tmp_path / "state"))
