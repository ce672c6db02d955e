"""Downloads from a real web server: resumed, checked, through a proxy, with an own certificate, from a mirror; content stays when its address moves on."""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

import web_server as webs
from stackengine.hosts import calling, downloads
from stackengine.hosts.downloads import Downloads, Ways
from stackengine.hosts.images import ImageError, Images

OLD, NEW = b"old" * 1000, b"newer" * 1000


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def near(*webs_: webs.Web) -> Ways:
    """What an owner says who lets images come from these servers."""
    return Ways(named=calling.places(web.base for web in webs_))


def no_checksum() -> str:
    return ""


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "PAUSE", 0.001)
    for name in ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def web() -> Iterator[webs.Web]:
    with webs.serve() as found:
        found.files["/disk"] = OLD
        yield found


def test_a_download_that_breaks_off_goes_on_where_it_stopped(web: webs.Web, tmp_path: Path) -> None:
    web.breaks = [1000, 2500]
    path, fetched = Downloads(tmp_path, near(web)).get(f"{web.base}/disk", no_checksum)
    assert (path.read_bytes(), fetched.sha256) == (OLD, digest(OLD))
    assert [h.get("Range") for _, h in web.asked] == [None, "bytes=1000-", "bytes=2500-"]
    assert Downloads(tmp_path, near(web)).get(f"{web.base}/disk", no_checksum)[0] == path
    assert len(web.asked) == 3  # and it is not fetched again


def test_a_part_of_a_version_that_is_no_longer_offered_is_not_gone_on_with(web: webs.Web, tmp_path: Path) -> None:
    def moved_on() -> None:
        web.files["/disk"] = NEW

    web.breaks = [1000]
    path, _ = Downloads(tmp_path, near(web)).get(f"{web.base}/disk", no_checksum, moved_on)
    assert path.read_bytes() == NEW


def test_a_wrong_checksum_leaves_nothing_behind(web: webs.Web, tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="wrong checksum"):
        Downloads(tmp_path, near(web)).get(f"{web.base}/disk", lambda: f"sha256:{digest(NEW)}")
    assert [f.name for f in tmp_path.iterdir() if f.suffix != ".lock"] == []


def test_what_was_fetched_stays_when_its_address_shows_something_newer(web: webs.Web, tmp_path: Path) -> None:
    cache, url = Downloads(tmp_path, near(web)), f"{web.base}/disk"
    cache.get(url, no_checksum)
    assert cache.get(url, no_checksum, newest=True)[1].sha256 == digest(OLD)
    assert web.asked[-1][1].keys() == {"If-None-Match"}  # the server said that nothing has changed
    web.files["/disk"] = NEW
    assert cache.get(url, no_checksum)[1].sha256 == digest(OLD)
    assert cache.get(url, no_checksum, newest=True)[1].sha256 == digest(NEW)
    asked = len(web.asked)
    pinned, _ = cache.get(url, no_checksum, sha256=digest(OLD))
    assert (pinned.read_bytes(), len(web.asked)) == (OLD, asked)
    assert cache.sweep({digest(NEW)}) == len(OLD)
    with pytest.raises(ImageError, match="wrong checksum") as wrong:
        cache.get(url, lambda: f"sha256:{digest(OLD)}", sha256=digest(OLD))
    assert "--upgrade-images" in wrong.value.hint


def test_a_mirror_is_asked_first_and_the_address_itself_where_it_has_nothing(web: webs.Web, tmp_path: Path) -> None:
    ways = Ways(mirrors={"https://images.example/": f"{web.base}/", "https://images.example/deep/": f"{web.base}/mirror/"})
    web.files["/mirror/disk"] = NEW
    assert Downloads(tmp_path, ways).get("https://images.example/deep/disk", no_checksum)[0].read_bytes() == NEW
    back = Ways(mirrors={f"{web.base}/": f"{web.base}/nothing/"}, named=near(web).named)
    assert Downloads(tmp_path, back).get(f"{web.base}/disk", no_checksum)[0].read_bytes() == OLD
    assert web.paths()[-2:] == ["/nothing/disk", "/disk"]
    assert Downloads(tmp_path, back).text(f"{web.base}/disk").startswith("old")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1", "[::ffff:127.0.0.1]"])
def test_a_private_address_is_asked_for_nothing_unless_the_owner_names_it(web: webs.Web, tmp_path: Path, host: str) -> None:
    url = web.base.replace("127.0.0.1", host) + "/disk"
    with pytest.raises(ImageError, match=r"which is a private address") as refused:
        Downloads(tmp_path).get(url, no_checksum)
    assert (web.asked, "allow.urls" in refused.value.hint) == ([], True)
    with pytest.raises(ImageError, match=r"which is a private address"):
        Downloads(tmp_path).text(url)


@pytest.mark.parametrize(
    "address", ["169.254.169.254", "10.0.0.1", "192.168.1.1", "[fd00::1]", "[fe80::1]", "[64:ff9b::a9fe:a9fe]", "[2002:7f00:1::1]", "0.0.0.0"],
)  # fmt: skip
def test_nor_any_other_that_only_this_machine_reaches(address: str, tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"which is a private address"):
        Downloads(tmp_path).get(f"http://{address}/disk", no_checksum)


def test_a_redirection_leads_to_no_place_that_the_owner_did_not_name(web: webs.Web, tmp_path: Path) -> None:
    with webs.serve() as inner:
        inner.files["/secret"] = NEW
        web.moved = {"/moved": f"{inner.base}/secret", "/deep": "/moved", "/ftp": "ftp://127.0.0.1:1/secret", "/file": "file:///etc/hostname"}
        for path in ("/moved", "/deep"):
            with pytest.raises(ImageError, match=r"/secret is not fetched: 127.0.0.1 is at 127.0.0.1, which is a private address"):
                Downloads(tmp_path, near(web)).get(web.base + path, no_checksum)
        for path in ("/ftp", "/file"):
            with pytest.raises(ImageError, match="cannot fetch"):
                Downloads(tmp_path, near(web)).get(web.base + path, no_checksum)
        assert inner.asked == []
        assert Downloads(tmp_path, near(web, inner)).get(f"{web.base}/deep", no_checksum)[0].read_bytes() == NEW


def test_what_was_looked_at_is_what_is_called(web: webs.Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name server that says something else the second time."""
    port, answers = int(web.base.rpartition(":")[2]), ["192.0.2.1", "127.0.0.1"]

    def lookup(*_: object, **__: object) -> list[tuple[object, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (answers.pop(0), port))]

    called: list[tuple[str, int]] = []

    def connection(address: tuple[str, int], *_: object, **__: object) -> socket.socket:
        called.append(address)
        raise OSError("nobody there")

    monkeypatch.setattr(socket, "create_connection", connection)
    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    opener = Ways(named=frozenset({("images.example", port)})).opener()
    with pytest.raises(ImageError, match="nobody there"):
        downloads.download(opener, f"http://images.example:{port}/disk", tmp_path / "part", lambda: None, tries=1)
    assert called == [("192.0.2.1", port)]


def test_what_somebody_added_by_name_may_be_nearby(web: webs.Web, tmp_path: Path) -> None:
    images = Images(tmp_path)
    with pytest.raises(ImageError, match="private address"):
        images.pull(f"{web.base}/disk")
    images.names.add("base", f"{web.base}/disk")
    assert images.pull("base") == digest(OLD)


def test_an_address_is_looked_at_behind_a_proxy_too(web: webs.Web, tmp_path: Path) -> None:
    for url in ("http://169.254.169.254/latest", "https://127.0.0.1/x", "http://localhost:1/x"):
        with pytest.raises(ImageError, match="private address"):
            Downloads(tmp_path, Ways(proxy=web.base)).get(url, no_checksum)
    assert web.asked == []


def test_the_owners_proxy_is_used(web: webs.Web, tmp_path: Path) -> None:
    web.files["http://images.example/disk"] = NEW  # what a proxy is asked for
    assert Downloads(tmp_path, Ways(proxy=web.base)).get("http://images.example/disk", no_checksum)[0].read_bytes() == NEW


def test_an_own_certificate_is_trusted_where_the_owner_says_so(tmp_path: Path) -> None:
    certificate = webs.make_certificate(tmp_path)
    with webs.serve(certificate) as web:
        web.files["/disk"] = OLD
        with pytest.raises(ImageError, match="CERTIFICATE_VERIFY_FAILED"):
            Downloads(tmp_path / "a", near(web)).get(f"{web.base}/disk", no_checksum)
        found, _ = Downloads(tmp_path / "b", Ways(ca=str(tmp_path / "cert.pem"), named=near(web).named)).get(f"{web.base}/disk", no_checksum)
        assert found.read_bytes() == OLD
    with pytest.raises(ImageError, match="cannot be read"):
        Downloads(tmp_path / "c", Ways(ca=str(tmp_path / "none.pem"))).get("https://images.example/", no_checksum)


def test_a_named_image_has_the_checksum_that_was_said_with_its_name(web: webs.Web, tmp_path: Path) -> None:
    images = Images(tmp_path)
    images.names.add("ours", f"{web.base}/disk", checksum=digest(OLD))
    stream, length, sha256 = images.open_source("ours")
    with stream:
        assert (stream.read(), length, sha256) == (OLD, len(OLD), digest(OLD))
    images.names.add("wrong", f"{web.base}/disk?2", checksum=digest(NEW))
    web.files["/disk?2"] = OLD
    with pytest.raises(ImageError, match="wrong checksum"):
        images.open_source(images.describe("wrong").sources["disk"])
    file = tmp_path / "disk.raw"
    file.write_bytes(OLD)
    with pytest.raises(ImageError, match="wrong checksum") as other:
        images.open_source(str(file), digest(NEW))
    assert "its own checksum" in other.value.hint
    images.names.add("file", str(file), checksum=digest(OLD))
    images.open_source("file")[0].close()
    file.write_bytes(NEW)
    with pytest.raises(ImageError, match="no longer what it was"):
        images.open_source("file")


def test_names_that_come_with_us_and_names_that_are_none_are_refused(tmp_path: Path) -> None:
    names = Images(tmp_path).names
    for name, source, what in (("tiny", "http://a/b", "comes with"), ("No Name", "http://a/b", "no name"), ("ours", "/none", "not there")):
        with pytest.raises(ImageError, match=what):
            names.add(name, source)
    assert names.added() == {}
    assert not names.drop("ours")
