import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Never

import fsspec
import numpy as np
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from gmv.errors import Poison, Reason
from gmv.events import reader as reader_module
from gmv.events.model import ImageBytes, ImageUri
from gmv.events.reader import ImageReader
from gmv.events.remote_file import WRAPPERS
from gmv.settings import ImageSettings
from tests.events.samples import png
from tests.events.web import ENDLESS_BYTES, WebServer, web_server

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
        ("data:image/png;base64,AAAA", "images.schemes"),
        ("file::s3://bucket/a.png", "reaches other places"),
        ("memory::http://a/b.png", "reaches other places"),
    ],
)
def test_what_the_settings_do_not_allow_is_refused_and_the_sentence_says_why(uri: str, says: str, root: Path) -> None:
    found = poison(uri, root=root, schemes=("memory",))

    assert found.reason == Reason.IMAGE_REFUSED
    assert says in found.detail


def test_without_a_root_no_file_is_read(root: Path) -> None:
    assert "images.root" in poison(f"file://{root}/red.png").detail


@pytest.mark.parametrize("scheme", sorted(WRAPPERS))
def test_schemes_that_go_by_way_of_another_are_refused_even_if_listed(scheme: str, root: Path) -> None:
    assert poison(f"{scheme}://{root}/red.png", root=root, schemes=(scheme,)).reason == Reason.IMAGE_REFUSED


def test_every_scheme_of_fsspec_that_reads_this_machine_is_refused(root: Path) -> None:
    """An oracle by trial: with all of fsspec's schemes allowed, none but `file` reads a file of this machine."""
    for scheme in fsspec.available_protocols():
        if scheme not in {"file", "http", "https", "ftp", "data", "memory"}:
            poison(f"{scheme}://{root}/red.png", root=root, schemes=(scheme,), attempts=1)


def test_a_listed_scheme_is_read_and_bounded() -> None:
    MemoryFileSystem().pipe("/red.png", png())

    assert (read("memory://red.png", schemes=("memory",)) == RED).all()
    found = poison("memory://red.png", schemes=("memory",), bytes_max=len(png()) - 1)
    assert found.reason == Reason.IMAGE_REFUSED
    assert poison("memory://none.png", schemes=("memory",)).reason == Reason.IMAGE_UNREACHABLE


def test_a_passing_fault_is_tried_again_and_a_lasting_one_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    MemoryFileSystem().pipe("/red.png", png())
    opened = MemoryFileSystem.open
    faults = [TimeoutError("slow"), RuntimeError("odd")]

    def fail_twice(self: MemoryFileSystem, *arguments: Any, **options: Any) -> Any:
        if faults:
            raise faults.pop()
        return opened(self, *arguments, **options)

    monkeypatch.setattr(MemoryFileSystem, "open", fail_twice)
    assert (read("memory://red.png", schemes=("memory",), attempts=3) == RED).all()

    faults.extend(TimeoutError("slow") for _ in range(3))
    found = poison("memory://red.png", schemes=("memory",), attempts=2)
    assert found.reason == Reason.IMAGE_UNREACHABLE
    assert "after 2 attempts (TimeoutError: slow)" in found.detail
    assert len(faults) == 1


def test_what_another_attempt_cannot_change_is_tried_once(monkeypatch: pytest.MonkeyPatch) -> None:
    tries = []

    def refuse(*_: Any, **__: Any) -> Never:
        tries.append(1)
        raise PermissionError(13, "no")

    monkeypatch.setattr(MemoryFileSystem, "open", refuse)

    assert poison("memory://red.png", schemes=("memory",)).reason == Reason.IMAGE_UNREACHABLE
    assert len(tries) == 1


def test_a_scheme_whose_package_is_missing_is_unreachable_and_says_so() -> None:
    found = poison("s3://bucket/a.png", schemes=("s3",))

    assert found.reason == Reason.IMAGE_UNREACHABLE
    assert "ImportError" in found.detail


def test_passwords_in_uris_are_not_told() -> None:
    assert "secret" not in poison("ftp://user:secret@127.0.0.1:1/a.png", schemes=("ftp",), attempts=1).detail


def test_http_is_read(web: WebServer) -> None:
    assert (read(f"{web.url}/image.png", schemes=("http",)) == RED).all()


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/none.png", Reason.IMAGE_UNREACHABLE),
        ("/broken", Reason.IMAGE_UNREACHABLE),
        ("/packed", Reason.IMAGE_REFUSED),  # not unpacked, for a few bytes could become gigabytes
        ("/moved", Reason.IMAGE_REFUSED),
    ],
)
def test_answers_over_http_that_are_no_image(path: str, reason: Reason, web: WebServer) -> None:
    assert poison(web.url + path, schemes=("http",), attempts=1).reason == reason


def test_redirects_are_not_followed(web: WebServer) -> None:
    web.requests.clear()
    poison(f"{web.url}/moved", schemes=("http",), attempts=1)

    assert "/image.png" not in web.requests


def test_an_endless_answer_is_cut_off(web: WebServer) -> None:
    found = poison(f"{web.url}/endless", schemes=("http",), bytes_max=2**18)

    assert found.reason == Reason.IMAGE_REFUSED
    assert web.bytes_sent < ENDLESS_BYTES / 2
