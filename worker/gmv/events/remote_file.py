"""Reads a file of an object store through fsspec: from the place the worker's own configuration names, by its rights.

No more bytes are taken than asked for, with any size that the store states; backends keep to their own time limits.
"""

from typing import Final

PERMANENT: Final = (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError, ImportError)
"""What another attempt cannot change; ImportError: the package for the scheme is not installed."""


def read_remote(uri: str, bytes_max: int) -> bytes:
    """Read at most `bytes_max` bytes.

    Raises:
        Exception: what the backend raises.
    """
    import fsspec

    filesystem, path = fsspec.core.url_to_fs(uri)
    with filesystem.open(path, "rb") as file:
        content = bytearray()
        while len(content) < bytes_max and (chunk := file.read(bytes_max - len(content))):
            content += chunk
    return bytes(content)
