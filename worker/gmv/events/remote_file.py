"""Reads a file through fsspec, by the schemes that the settings allow.

No more bytes are taken than asked for, whatever the server says of the size. Over HTTP, redirects are not followed
(they could lead to hosts that only this machine reaches), nothing is decompressed on the way, and an answer has to be
whole within 30 s; other backends keep to their own time limits.
"""

from typing import Any, Final

READ_SECONDS_MAX: Final = 30

WRAPPERS: Final = frozenset(
    {
        "local",
        "asynclocal",
        "dir",
        "generic",
        "reference",
        "cached",
        "blockcache",
        "filecache",
        "simplecache",
        "async_wrapper",
        "asyncwrapper",
        "dask",
        "zip",
        "tar",
        "libarchive",
        "git",
        "dvc",
    }
)
"""Schemes that read this machine's files, or go by way of another scheme, and so past the settings."""

PERMANENT: Final = (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError, ImportError)
"""What another attempt cannot change; ImportError: the package for the scheme is not installed."""


def read_remote(uri: str, bytes_max: int) -> bytes:
    """Read at most `bytes_max` bytes.

    Raises:
        Exception: whatever the backend raises.
    """
    import fsspec

    scheme = uri.partition(":")[0].lower()
    filesystem, path = fsspec.core.url_to_fs(uri, **_options(scheme))
    # A block size of 0 asks an HTTP server for a stream; asked for ranges, fsspec would trust what it sends back.
    how = {"block_size": 0} if scheme in {"http", "https"} else {}
    with filesystem.open(path, "rb", **how) as file:
        content = bytearray()
        while len(content) < bytes_max and (chunk := file.read(bytes_max - len(content))):
            content += chunk
    return bytes(content)


def _options(scheme: str) -> dict[str, Any]:
    if scheme not in {"http", "https"}:
        return {}
    import aiohttp

    timeout = aiohttp.ClientTimeout(total=READ_SECONDS_MAX)
    return {"allow_redirects": False, "client_kwargs": {"timeout": timeout, "auto_decompress": False}}
