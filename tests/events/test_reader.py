import os
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Never

import fsspec
import numpy as np
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from fsspec.registry import registry

from gmv.errors import Poison, Reason
from gmv.events import reader as reader_module
from gmv.events import uri_rules
from gmv.events.model import ImageBytes, ImageUri
from gmv.events.reader import ImageReader
from gmv.events.uri_rules import STORES, WEB, UriRefused, refuse_unlisted
from gmv.settings import ImageSettings
from tests.events.samples import png
from tests.events.web_server import ENDLESS_BYTES, WebServer, web_server

RED = np.full((8, 8, 3), (255, 0, 0), np.uint8)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder of images, beside a secret."""
    folder = tmp_path / "images"
    (folder / "a b").mkdir(parents=True)
    (folder / "red.png").write_bytes(png())
    (folder / "a b" / "é#1.png").write_bytes(png())
    (tmp_path / "secret.png").write_bytes(png())
    (tmp_path / "images-of-others").mkdir()
    (tmp_path / "images-of-others" / "red.png").write_bytes(png())
    return folder


@pytest.fixture(scope="module")
def web() -> Iterator[WebServer]:
    with web_server() as server:
        yield server


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader_module, "FIRST_PAUSE_SECONDS", 0)


def read(uri: str, **settings: Any) -> np.ndarray:
    return ImageReader(ImageSettings(**settings)).read(ImageUri(uri))


@pytest.fixture(autouse=True)
def memory_is_a_store(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that needs no server, so that what is said of stores can be tried."""
    monkeypatch.setattr(uri_rules, "STORES", STORES | {"memory"})


def listing(web: WebServer, *, networks: Sequence[str] = ("127.0.0.0/8",)) -> dict[str, Any]:
    """Settings that allow a server of this machine."""
    return {"schemes": ("http",), "hosts": (f"127.0.0.1:{web.server_port}",), "networks": networks}


def poison(uri: str, **settings: Any) -> Poison:
    with pytest.raises(Poison) as caught:
        read(uri, **settings)
    assert uri[:100] in caught.value.detail or "***" in caught.value.detail
    return caught.value


def test_an_image_in_the_event_is_decoded_within_the_limits() -> None:
    assert (ImageReader(ImageSettings()).read(ImageBytes(png())) == RED).all()
    with pytest.raises(Poison, match="64 pixels, 63 are allowed"):
        ImageReader(ImageSettings(pixels_max=63)).read(ImageBytes(png()))
    with pytest.raises(Poison, match="image_corrupt"):
        ImageReader(ImageSettings()).read(ImageBytes(png()[:-30]))


def test_files_under_the_root_are_read(root: Path) -> None:
    (root / "link.png").symlink_to(root / "red.png")
    (root / "folder").symlink_to(root / "a b")
    uris = [f"file://{root}/red.png", f"FILE://localhost{root}/red.png", f"file:{root}/red.png", "file:red.png"]
    uris += [f"file://{root}/a%20b/%C3%A9%231.png", f"file://{root}/link.png", "file:folder/%C3%A9%231.png"]

    for uri in uris:
        assert (read(uri, root=root) == RED).all(), uri


def test_a_root_that_is_a_link_itself_is_followed(root: Path, tmp_path: Path) -> None:
    (tmp_path / "latest").symlink_to(root)

    assert (read(f"file://{tmp_path}/latest/red.png", root=tmp_path / "latest") == RED).all()


def test_nothing_outside_the_root_is_read(root: Path, tmp_path: Path) -> None:
    (root / "out.png").symlink_to(tmp_path / "secret.png")
    (root / "up").symlink_to(tmp_path)
    paths = [f"//{tmp_path}/secret.png", "../secret.png", "%2e%2e/secret.png", f"//{root}/../secret.png"]
    paths += ["out.png", "up/secret.png", f"//{tmp_path}/images-of-others/red.png", "///etc/passwd"]

    for path in paths:
        assert poison(f"file:{path}", root=root).reason == Reason.IMAGE_REFUSED, path


def test_what_is_no_regular_file_is_refused_without_waiting(root: Path) -> None:
    os.mkfifo(root / "pipe")

    for path in ("pipe", "a b", "."):
        found = poison(f"file:{path}", root=root)
        assert found.reason == Reason.IMAGE_REFUSED
        assert "no regular file" in found.detail
    assert poison("file:///dev/zero", root=Path("/dev")).reason == Reason.IMAGE_REFUSED


def test_a_file_that_is_not_there_is_unreachable(root: Path) -> None:
    (root / "circle").symlink_to(root / "circle")
    (root / "broken").symlink_to(root / "nowhere")

    for path in ("none.png", "red.png/none", "circle", "broken", "x" * 300):
        assert poison(f"file:{path}", root=root).reason == Reason.IMAGE_UNREACHABLE, path
    assert "No such file" in poison("file:none.png", root=root).detail
    assert poison("file:red.png", root=root / "moved").reason == Reason.IMAGE_UNREACHABLE


@pytest.mark.parametrize(
    ("uri", "says"),
    [
        ("red.png", "starts with a scheme"),
        ("", "starts with a scheme"),
        ("/etc/passwd", "starts with a scheme"),
        ("file://other-host/red.png", "names no other host"),
        ("file:red.png?x=1", "%3F"),
        ("file:red.png#1", "%23"),
        ("file:", "names no file"),
        ("file:a%00b", "names no file"),
        ("file://[", "no URI"),
        ("s3://bucket/a.png", "images.schemes"),
        ("s3:bucket/a.png", "images.schemes"),
        ("ftp://host/a.png", "is never read"),
        ("data:image/png;base64,AAAA", "is never read"),
        ("file::s3://bucket/a.png", "wraps another one"),
        ("memory::http://a/b.png", "wraps another one"),
        ("simplecache::memory://bucket/a.png", "wraps another one"),
        ("memory://other/a.png", "other is not allowed; images.hosts"),
        ("memory://bucket:81/a.png", "bucket:81 is not allowed"),
        ("memory://user@bucket/a.png", "neither user nor backslash"),
        ("memory://user:word@bucket/a.png", "neither user nor backslash"),
        ("memory://bucket\\@other/a.png", "neither user nor backslash"),
        ("memory://other#@bucket/a.png", "neither user nor backslash"),
        ("memory://other?@bucket/a.png", "neither user nor backslash"),
        ("memory://bucket /a.png", "neither user nor backslash"),
        ("memory://[::1]/a.png", "wraps another one"),
        ("memory:bucket/a.png", "memory://name/path"),
        ("memory:///a.png", "memory://name/path"),
    ],
)
def test_what_the_settings_do_not_allow_is_refused_and_the_sentence_says_why(uri: str, says: str, root: Path) -> None:
    found = poison(uri, root=root, schemes=("memory", "ftp", "data", "simplecache"), hosts=("bucket",))

    assert found.reason == Reason.IMAGE_REFUSED
    assert says in found.detail


def test_without_a_root_no_file_is_read(root: Path) -> None:
    assert "images.root" in poison(f"file://{root}/red.png").detail


def test_every_scheme_of_fsspec_but_stores_and_the_web_is_refused_even_if_listed(root: Path) -> None:
    others = {*fsspec.available_protocols(), *registry} - STORES - WEB - {"file", "memory"}

    assert {"ftp", "github", "local", "reference", "sftp", "simplecache", "zip"} <= others
    for scheme in others:
        found = poison(f"{scheme}://{root}/red.png", root=root, schemes=(scheme,), hosts=("*",))
        assert found.reason == Reason.IMAGE_REFUSED
        assert "is never read" in found.detail or "starts with a scheme" in found.detail  # it has a _ in its name


@pytest.mark.parametrize(
    ("host", "is_read"),
    [
        ("images", True),
        ("Images", True),
        ("a.cdn.example", True),
        ("a.b.cdn.example", True),
        ("cdn.example", False),
        ("notcdn.example", False),
        ("images.example", False),
        ("images.", False),
    ],
)
def test_a_host_is_listed_by_its_name_or_by_what_it_is_below(host: str, is_read: bool) -> None:
    MemoryFileSystem().pipe(f"/{host}/red.png", png())
    settings = {"schemes": ("memory",), "hosts": ("IMAGES", "*.cdn.example")}
    if is_read:
        assert (read(f"memory://{host}/red.png", **settings) == RED).all()
    else:
        assert f"{host} is not allowed" in poison(f"memory://{host}/red.png", **settings).detail


def test_a_port_is_listed_with_its_host_unless_it_is_the_schemes_own() -> None:
    settings = ImageSettings(schemes=("https",), hosts=("images.example", "other.example:8443"))
    for uri in ("https://images.example/a", "https://images.example:443/a", "https://other.example:8443/a"):
        refuse_unlisted(uri, settings)
    for uri in ("https://images.example:22/a", "https://images.example:80/a", "https://other.example/a"):
        with pytest.raises(UriRefused, match=r"images\.hosts"):
            refuse_unlisted(uri, settings)


def test_a_listed_scheme_is_read_and_bounded() -> None:
    MemoryFileSystem().pipe("/bucket/red.png", png())

    assert (read("memory://bucket/red.png", schemes=("memory",), hosts=("bucket",)) == RED).all()
    found = poison("memory://bucket/red.png", schemes=("memory",), hosts=("bucket",), bytes_max=len(png()) - 1)
    assert found.reason == Reason.IMAGE_REFUSED
    assert poison("memory://bucket/none.png", schemes=("memory",), hosts=("bucket",)).reason == Reason.IMAGE_UNREACHABLE


def test_a_passing_fault_is_tried_again_and_a_lasting_one_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    MemoryFileSystem().pipe("/bucket/red.png", png())
    opened = MemoryFileSystem.open
    faults = [TimeoutError("slow"), RuntimeError("odd")]

    def fail_twice(self: MemoryFileSystem, *arguments: Any, **options: Any) -> Any:
        if faults:
            raise faults.pop()
        return opened(self, *arguments, **options)

    monkeypatch.setattr(MemoryFileSystem, "open", fail_twice)
    assert (read("memory://bucket/red.png", schemes=("memory",), hosts=("bucket",), attempts=3) == RED).all()

    faults.extend(TimeoutError("slow") for _ in range(3))
    found = poison("memory://bucket/red.png", schemes=("memory",), hosts=("bucket",), attempts=2)
    assert found.reason == Reason.IMAGE_UNREACHABLE
    assert "after 2 attempts (TimeoutError: slow)" in found.detail
    assert len(faults) == 1


def test_what_another_attempt_cannot_change_is_tried_once(monkeypatch: pytest.MonkeyPatch) -> None:
    tries = []

    def refuse(*_: Any, **__: Any) -> Never:
        tries.append(1)
        raise PermissionError(13, "no")

    monkeypatch.setattr(MemoryFileSystem, "open", refuse)

    assert poison("memory://bucket/red.png", schemes=("memory",), hosts=("bucket",)).reason == Reason.IMAGE_UNREACHABLE
    assert len(tries) == 1


def test_a_scheme_whose_package_is_missing_is_unreachable_and_says_so() -> None:
    found = poison("s3://bucket/a.png", schemes=("s3",), hosts=("bucket",))

    assert found.reason == Reason.IMAGE_UNREACHABLE
    assert "ImportError" in found.detail


def test_passwords_in_uris_are_not_told() -> None:
    assert "secret" not in poison("https://user:secret@127.0.0.1:1/a.png", schemes=("https",)).detail


def test_http_is_read(web: WebServer) -> None:
    reader = ImageReader(ImageSettings(**listing(web)))
    for _ in range(2):
        assert (reader.read(ImageUri(f"{web.url}/image.png")) == RED).all()


@pytest.mark.parametrize(
    ("path", "reason", "detail"),
    [
        ("/none.png", Reason.IMAGE_UNREACHABLE, "HTTP 404"),
        ("/broken", Reason.IMAGE_UNREACHABLE, "after 3 attempts"),
        ("/packed", Reason.IMAGE_REFUSED, ""),  # not unpacked, for a few bytes could become gigabytes
        ("/moved", Reason.IMAGE_REFUSED, "redirect (HTTP 302)"),
    ],
)
def test_answers_over_http_that_are_no_image(path: str, reason: Reason, detail: str, web: WebServer) -> None:
    web.requests.clear()
    found = poison(web.url + path, **listing(web))

    assert found.reason == reason
    assert detail in found.detail
    assert set(web.requests) == {path}  # a redirect is not followed
    assert len(web.requests) == (3 if path == "/broken" else 1)


def test_an_endless_answer_is_cut_off(web: WebServer) -> None:
    found = poison(f"{web.url}/endless", **listing(web), bytes_max=2**18)

    assert found.reason == Reason.IMAGE_REFUSED
    assert web.bytes_sent < ENDLESS_BYTES / 2


class TestPrivateAddresses:
    """A listed host leads to this machine, and no request arrives at it."""

    @pytest.fixture(autouse=True)
    def nothing_arrives(self, web: WebServer) -> Iterator[None]:
        web.requests.clear()
        yield
        assert web.requests == []

    def refused(self, web: WebServer, host: str, **settings: Any) -> str:
        place = f"{host}:{web.server_port}"
        found = poison(f"http://{place}/image.png", schemes=("http",), hosts=(place,), **settings)
        assert found.reason == Reason.IMAGE_REFUSED
        return found.detail

    @pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0x7f.1", "0.0.0.0"])
    def test_however_it_is_written(self, host: str, web: WebServer) -> None:
        assert "is no public address, and images.networks does not allow it" in self.refused(web, host)

    @pytest.mark.parametrize("host", ["127.1", "2130706433"])
    def test_an_address_in_an_odd_form_is_not_even_looked_up(self, host: str, web: WebServer) -> None:
        place = f"{host}:{web.server_port}"
        found = poison(f"http://{place}/image.png", schemes=("http",), hosts=(place,), networks=("127.0.0.0/8",))
        assert "not a canonical IPv4 address" in found.detail

    def test_even_if_another_network_is_allowed(self, web: WebServer) -> None:
        assert "127.0.0.1 is no public address" in self.refused(web, "127.0.0.1", networks=("10.0.0.0/8",))

    def test_a_name_is_judged_by_the_address_that_is_connected_to(
        self, web: WebServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """DNS rebinding: whoever asks first is told a public address, who asks next this machine's."""
        told = ["93.184.215.14", "127.0.0.1"]
        asked = []

        def answer(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
            asked.append(host)
            address = told[min(len(asked), len(told)) - 1]
            return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port))]

        monkeypatch.setattr(socket, "getaddrinfo", answer)
        answer("rebinding.example", 80)  # as a check of the name beforehand would have asked
        assert "127.0.0.1 is no public address" in self.refused(web, "rebinding.example")

    def test_one_private_address_among_public_ones_is_enough(
        self, web: WebServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def answer(_: str, port: int, *__: Any, **___: Any) -> list[Any]:
            return [
                (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (each, port))
                for each in ("127.0.0.1", "93.184.215.14")
            ]

        monkeypatch.setattr(socket, "getaddrinfo", answer)
        assert "127.0.0.1 is no public address" in self.refused(web, "mixed.example")
