"""An index fetched from where it was published: an object store, a web server, or by any scheme that fsspec knows.

Nothing that comes from there is trusted. The index id, which has to be known beforehand, is the digest of the
manifest; the manifest holds the digest of every file.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gmv.errors import IndexRefused
from gmv.index.digests import check_digests, check_sizes
from gmv.index.manifest import MANIFEST, FileEntry, Manifest, index_id_of, read_manifest
from gmv.indexing.progress import Progress
from gmv.indexing.workspace import Workspace, open_workspace

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

MANIFEST_BYTES_MAX: Final = 2**20
OBJECT_STORES: Final = frozenset({"s3", "gs", "gcs", "abfs", "abfss"})
"""Schemes of stores that pyarrow brings clients for; fsspec would need a package more for each."""

_CHUNK_BYTES = 8 * 2**20


def fetch_index(url: str, index_id: str, out: Path, progress: Progress) -> Manifest:
    """Have an index in a folder, fetching what of it is not there yet.

    A fetch that was killed goes on with the file it was at. An index that is there already is read through; one that
    was altered, or is another, gives way once the wanted one is whole.

    Args:
        url: the published folder.
        index_id: 32 hex digits, as `gmv index info` prints them.
        out: the folder to be.
        progress: called with the bytes that came.

    Raises:
        IndexRefused: there is no such index, it has another id, a file is not as it was built, or `out` is something
            else than an index.
        DiskFull: there is no space left.
    """
    if out.exists():
        if not (out / MANIFEST).is_file():
            raise IndexRefused(f"{out} is there and is no index; give another --out")
        if (fetched := _fetched_before(out, index_id)) is not None:
            return fetched
    source = _Source(url)
    content = source.manifest()
    if (found := index_id_of(content)) != index_id:
        raise IndexRefused(f"{url} has the id {found}, not {index_id}: it is another index, or was altered")
    with open_workspace(out, {"fetched": index_id}) as workspace:
        workspace.write(MANIFEST, content)
        manifest, _ = read_manifest(workspace.folder)
        with progress("fetching", sum(entry.bytes for entry in manifest.files.values()), "bytes") as advance:
            for name, entry in manifest.files.items():
                _fetch(source, name, entry, workspace, advance)
        workspace.publish(out, frozenset({MANIFEST, *manifest.files}))
    return manifest


def _fetched_before(folder: Path, index_id: str) -> Manifest | None:
    """Return the manifest of the index in a folder if it is the wanted one, as it was built."""
    try:
        manifest, found = read_manifest(folder)
        check_sizes(folder, manifest.files)
        check_digests(folder, manifest.files)
    except IndexRefused:
        return None
    return manifest if found == index_id else None


def _fetch(
    source: "_Source", name: str, entry: FileEntry, workspace: Workspace, advance: Callable[[int], None]
) -> None:
    if {"file": name} in workspace.journal:
        advance(entry.bytes)
        return
    with (workspace.folder / name).open("wb") as file:
        for chunk in source.chunks(name, entry.bytes):
            file.write(chunk)
            advance(len(chunk))
    check_sizes(workspace.folder, {name: entry})
    check_digests(workspace.folder, {name: entry})
    workspace.settle(name)
    workspace.note({"file": name})


class _Source:
    """A published folder."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._scheme = url.partition(":")[0].lower()
        with self._naming(url):
            self._filesystem, path = self._open()
        self._path = path.rstrip("/")

    def _open(self) -> "tuple[AbstractFileSystem, str]":
        import fsspec

        if self._scheme not in OBJECT_STORES:
            opened: tuple[AbstractFileSystem, str] = fsspec.core.url_to_fs(self._url)
            return opened
        from fsspec.implementations.arrow import ArrowFSWrapper
        from pyarrow.fs import FileSystem

        store, path = FileSystem.from_uri(self._url)
        return ArrowFSWrapper(store), path

    def manifest(self) -> bytes:
        """Read the manifest."""
        content = b"".join(self.chunks(MANIFEST, MANIFEST_BYTES_MAX))
        if len(content) > MANIFEST_BYTES_MAX:
            raise IndexRefused(f"{MANIFEST} of {self._url} has more than {MANIFEST_BYTES_MAX:,} bytes: it is none")
        return content

    def chunks(self, name: str, bytes_max: int) -> Iterator[bytes]:
        """Yield a file's content, and end with at most a byte more than it may have."""
        # A block size of 0 asks an HTTP server for a stream; asked for ranges, some send all each time.
        how: dict[str, Any] = {"block_size": 0} if self._scheme in {"http", "https"} else {}
        left = bytes_max + 1
        with (
            self._naming(f"{name} of {self._url}"),
            self._filesystem.open(f"{self._path}/{name}", "rb", **how) as file,
        ):
            while left and (chunk := file.read(min(left, _CHUNK_BYTES))):
                left -= len(chunk)
                yield chunk

    @contextmanager
    def _naming(self, what: str) -> Iterator[None]:
        """Turn what a backend raises into a refusal; who consumes the chunks raises outside."""
        try:
            yield
        except ImportError as error:
            raise IndexRefused(f"{what}: fsspec's package for this scheme is not installed ({error})") from error
        except Exception as error:
            raise IndexRefused(f"{what} cannot be read: {error or type(error).__name__}") from error
