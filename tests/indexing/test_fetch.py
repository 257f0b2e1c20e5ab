"""Indexes fetched over HTTP from a server on loopback, and from memory."""

import functools
import re
import shutil
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

import pytest

from gmv.errors import IndexRefused
from gmv.index.manifest import CODES_FILE, IMAGES_FILE, MANIFEST, TOKENS_FILE, read_manifest
from gmv.index.opened import open_index
from gmv.indexing import fetch as index_fetch
from gmv.indexing.fetch import fetch_index
from tests.corpus.corpora import rows, write_parquet
from tests.indexing.index_builds import build, unseen

OTHER_ID = "0" * 32


class Handler(SimpleHTTPRequestHandler):
    """Counts what was asked for, and says nothing on stderr. Gives ranges, as clients of S3 want them."""

    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path.rpartition("/")[2])
        wanted = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range") or "")
        path = Path(self.translate_path(self.path))
        if wanted is None or not path.is_file():
            super().do_GET()
            return
        content, first, last = path.read_bytes(), int(wanted[1]), int(wanted[2])
        part = content[first : last + 1]
        self.send_response(206)
        self.send_header("Content-Range", f"bytes {first}-{first + len(part) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        self.wfile.write(part)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built")
    build(write_parquet(folder / "c.parquet", rows(4)), folder / "index")
    return folder / "index"


@pytest.fixture
def published(built: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "published" / "index"
    shutil.copytree(built, folder)
    return folder


@pytest.fixture
def index_id(published: Path) -> str:
    return read_manifest(published)[1]


@pytest.fixture
def url(published: Path) -> Iterator[str]:
    Handler.asked = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=published.parent))
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/index"
    server.shutdown()
    server.server_close()


def fetch(url: str, index_id: str, out: Path) -> None:
    fetch_index(url, index_id, out, unseen)


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_fetched_index_is_the_published_one_and_opens(
    url: str, published: Path, index_id: str, tmp_path: Path
) -> None:
    out = tmp_path / "new" / "index"
    fetch(f"{url}/", index_id, out)

    assert files(out) == files(published)
    assert open_index(out, verify=True).index_id == index_id
    assert [path.name for path in out.parent.iterdir()] == ["index"]


def test_an_object_store_is_read_by_the_client_that_is_there(
    url: str, published: Path, index_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"ACCESS_KEY_ID": "key", "SECRET_ACCESS_KEY": "secret", "EC2_METADATA_DISABLED": "true"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    host = url.split("/")[2]
    bucket = f"s3://index?region=eu-west-1&scheme=http&endpoint_override={host}"
    fetch(bucket, index_id, tmp_path / "index")
    assert files(tmp_path / "index") == files(published)

    (published / TOKENS_FILE).unlink()
    with pytest.raises(IndexRefused, match=rf"{TOKENS_FILE} of s3://index.* cannot be read"):
        fetch(bucket, index_id, tmp_path / "other")


def test_any_scheme_of_fsspec_will_do(published: Path, index_id: str, tmp_path: Path) -> None:
    fetch(published.as_uri(), index_id, tmp_path / "index")
    assert files(tmp_path / "index") == files(published)


def test_an_index_that_is_there_is_not_fetched_again(url: str, index_id: str, tmp_path: Path) -> None:
    fetch(url, index_id, tmp_path / "index")
    Handler.asked.clear()
    fetch(url, index_id, tmp_path / "index")
    assert Handler.asked == []


def test_one_with_another_id_is_refused_and_nothing_stands(url: str, index_id: str, tmp_path: Path) -> None:
    with pytest.raises(IndexRefused, match=f"{url} has the id {index_id}, not {OTHER_ID}"):
        fetch(url, OTHER_ID, tmp_path / "index")
    assert Handler.asked == [MANIFEST]
    assert not (tmp_path / "index").exists()


@pytest.mark.parametrize("how", ["flipped", "shorter", "longer", "missing"])
def test_a_file_that_is_not_as_it_was_built_is_refused_and_the_next_try_fetches_it_again(
    url: str, published: Path, index_id: str, tmp_path: Path, how: str
) -> None:
    path = published / TOKENS_FILE
    whole = path.read_bytes()
    altered = {"flipped": whole[:-1] + bytes([whole[-1] ^ 1]), "shorter": whole[:-1], "longer": whole + b"0"}
    path.write_bytes(altered[how]) if how in altered else path.unlink()
    with pytest.raises(IndexRefused, match=TOKENS_FILE):
        fetch(url, index_id, tmp_path / "index")
    assert not (tmp_path / "index").exists()

    path.write_bytes(whole)
    fetch(url, index_id, tmp_path / "index")
    assert files(tmp_path / "index") == files(published)


def test_a_fetch_that_was_cut_off_goes_on_with_the_file_it_was_at(
    url: str, published: Path, index_id: str, tmp_path: Path
) -> None:
    lost = published / TOKENS_FILE
    lost.rename(published.parent / "aside")
    with pytest.raises(IndexRefused):
        fetch(url, index_id, tmp_path / "index")
    fetched = [name for name in Handler.asked if name not in {MANIFEST, TOKENS_FILE}]
    assert fetched
    (published.parent / "aside").rename(lost)
    Handler.asked.clear()
    fetch(url, index_id, tmp_path / "index")

    assert set(fetched).isdisjoint(Handler.asked)
    assert files(tmp_path / "index") == files(published)


@pytest.mark.parametrize("damaged", [CODES_FILE, IMAGES_FILE, MANIFEST])
def test_a_standing_index_that_was_altered_is_fetched_anew(
    url: str, published: Path, index_id: str, tmp_path: Path, damaged: str
) -> None:
    out = tmp_path / "index"
    shutil.copytree(published, out)
    (out / damaged).write_bytes(b"x" * (out / damaged).stat().st_size)
    fetch(url, index_id, out)
    assert files(out) == files(published)


def test_another_index_gives_way(url: str, published: Path, index_id: str, tmp_path: Path) -> None:
    out = tmp_path / "index"
    build(write_parquet(tmp_path / "other.parquet", rows(3)), out)
    fetch(url, index_id, out)
    assert files(out) == files(published)


def test_a_folder_that_is_no_index_is_left_alone(url: str, index_id: str, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").touch()
    with pytest.raises(IndexRefused, match="is there and is no index"):
        fetch(url, index_id, tmp_path / "mine")
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.tex"]


def test_a_manifest_without_end_is_not_read_to_the_end(
    url: str, published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_fetch, "MANIFEST_BYTES_MAX", 100)
    with pytest.raises(IndexRefused, match="has more than 100 bytes"):
        fetch(url, OTHER_ID, tmp_path / "index")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://127.0.0.1:9/index", "cannot be read"),
        ("gopher://somewhere/index", "gopher"),
        ("smb://server/index", "package for this scheme is not installed"),
        ("abfs://container/index", "account"),
    ],
)
def test_what_cannot_be_reached_is_named(url: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(IndexRefused, match=said):
        fetch(url, OTHER_ID, tmp_path / "index")
