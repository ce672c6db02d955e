"""Downloads from a real web server: resumed, checked, through a proxy, with an own certificate, from a mirror; content stays when its address moves on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

import web_server as webs
from stackengine.hosts import downloads
from stackengine.hosts.downloads import Downloads, Ways
from stackengine.hosts.images import ImageError, Images

OLD, NEW = b"old" * 1000, b"newer" * 1000


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


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
    path, fetched = Downloads(tmp_path).get(f"{web.base}/disk", no_checksum)
    assert (path.read_bytes(), fetched.sha256) == (OLD, digest(OLD))
    assert [h.get("Range") for _, h in web.asked] == [None, "bytes=1000-", "bytes=2500-"]
    assert Downloads(tmp_path).get(f"{web.base}/disk", no_checksum)[0] == path
    assert len(web.asked) == 3  # and it is not fetched again


def test_a_part_of_a_version_that_is_no_longer_offered_is_not_gone_on_with(web: webs.Web, tmp_path: Path) -> None:
    def moved_on() -> None:
        web.files["/disk"] = NEW

    web.breaks = [1000]
    path, _ = Downloads(tmp_path).get(f"{web.base}/disk", no_checksum, moved_on)
    assert path.read_bytes() == NEW


def test_a_wrong_checksum_leaves_nothing_behind(web: webs.Web, tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="wrong checksum"):
        Downloads(tmp_path).get(f"{web.base}/disk", lambda: f"sha256:{digest(NEW)}")
    assert [f.name for f in tmp_path.iterdir() if f.suffix != ".lock"] == []


def test_what_was_fetched_stays_when_its_address_shows_something_newer(web: webs.Web, tmp_path: Path) -> None:
    cache, url = Downloads(tmp_path), f"{web.base}/disk"
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
    back = Ways(mirrors={f"{web.base}/": f"{web.base}/nothing/"})
    assert Downloads(tmp_path, back).get(f"{web.base}/disk", no_checksum)[0].read_bytes() == OLD
    assert web.paths()[-2:] == ["/nothing/disk", "/disk"]
    assert Downloads(tmp_path, back).text(f"{web.base}/disk").startswith("old")


def test_the_owners_proxy_is_used(web: webs.Web, tmp_path: Path) -> None:
    web.files["http://images.example/disk"] = NEW  # what a proxy is asked for
    assert Downloads(tmp_path, Ways(proxy=web.base)).get("http://images.example/disk", no_checksum)[0].read_bytes() == NEW


def test_an_own_certificate_is_trusted_where_the_owner_says_so(tmp_path: Path) -> None:
    certificate = webs.make_certificate(tmp_path)
    with webs.serve(certificate) as web:
        web.files["/disk"] = OLD
        with pytest.raises(ImageError, match="CERTIFICATE_VERIFY_FAILED"):
            Downloads(tmp_path / "a").get(f"{web.base}/disk", no_checksum)
        found, _ = Downloads(tmp_path / "b", Ways(ca=str(tmp_path / "cert.pem"))).get(f"{web.base}/disk", no_checksum)
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
