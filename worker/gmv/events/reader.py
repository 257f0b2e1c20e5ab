"""Image files that events carry or name, read within limits. An event may come from anyone, so a URI is no command.

- Only schemes that the settings list are opened, and `file` only under a root; nothing else is, whatever fsspec knows.
- A path is followed to its end before it is compared with the root, so no link leads out, and only regular files are
  opened: reading a pipe or a device would never end.
- At most one byte more than the limit is read, whatever size the other side tells.
- What a server answers is bounded in time and tries. Which hosts an allowed scheme such as https may reach, redirects
  included, is for the network's policy to say: gmv cannot know which of them are the producer's own.
"""

import re
import stat
import time
from pathlib import Path
from urllib.parse import unquote, urlsplit

import fsspec
import numpy as np
from numpy.typing import NDArray

from gmv.errors import Poison, Reason
from gmv.events.model import ImageBytes, ImageUri
from gmv.imaging import ImageLimits, decode_image
from gmv.settings import ImageSettings

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*", re.ASCII)
_WAIT_SECONDS = 0.2  # before the second try, doubled before each further one
_DETAIL_CHARACTERS_MAX = 200


class ImageReader:
    """The attributor's `ImageSource`."""

    def __init__(self, settings: ImageSettings) -> None:
        self._settings = settings
        self._limits = ImageLimits(settings.bytes_max, settings.pixels_max)
        self._root = settings.root.resolve() if settings.root else None

    def read(self, content: ImageBytes | ImageUri) -> NDArray[np.uint8]:
        """Return the image, uint8 [height, width, 3].

        Raises:
            Poison: `image_refused` by a rule or limit, `image_unreachable` after all tries, or `image_corrupt`.
        """
        match content:
            case ImageBytes():
                return decode_image(content.content, self._limits)
            case ImageUri():
                return decode_image(self._fetch(content.uri), self._limits)

    def _fetch(self, uri: str) -> bytes:
        scheme, separator, _ = uri.partition(":")
        scheme = scheme.lower()
        if not separator or not _SCHEME.fullmatch(scheme) or "::" in uri:
            raise _refused(uri, "is not a URI of one scheme, such as file:///images/a.png")
        if scheme == "file":
            return self._file(uri)
        if scheme not in self._settings.schemes:
            raise _refused(uri, f"scheme {scheme!r} is not allowed; images.schemes lists those that are")
        return self._remote(uri)

    def _file(self, uri: str) -> bytes:
        if self._root is None:
            raise _refused(uri, "file URIs are not allowed; images.root names the folder they may lie in")
        parts = urlsplit(uri)
        if parts.netloc not in ("", "localhost") or parts.query or parts.fragment:
            raise _refused(uri, "should be file:/// and a path")
        try:
            path = Path(unquote(parts.path, errors="strict")).resolve()
            if not path.is_relative_to(self._root):
                raise _refused(uri, "lies outside images.root")
            if not stat.S_ISREG(path.stat().st_mode):
                raise _refused(uri, "is not a regular file")
            with path.open("rb") as file:
                return file.read(self._settings.bytes_max + 1)
        except (OSError, ValueError) as error:  # ValueError: a null byte, or bytes that are no UTF-8
            raise _unreachable(uri, error) from error

    def _remote(self, uri: str) -> bytes:
        wait_seconds = _WAIT_SECONDS
        for attempt in range(1, self._settings.attempts + 1):
            try:
                with fsspec.open(uri, "rb") as file:
                    content: bytes = file.read(self._settings.bytes_max + 1)
                    return content
            except FileNotFoundError as error:
                raise _unreachable(uri, error) from error
            except Exception as error:  # every fsspec backend has errors of its own
                if attempt == self._settings.attempts:
                    raise _unreachable(uri, error) from error
            time.sleep(wait_seconds)
            wait_seconds *= 2
        raise AssertionError("unreachable: the last try returns or raises")


def _refused(uri: str, why: str) -> Poison:
    return Poison(Reason.IMAGE_REFUSED, f"{uri[:_DETAIL_CHARACTERS_MAX]}: {why}")


def _unreachable(uri: str, error: Exception) -> Poison:
    says = f"{type(error).__name__}: {getattr(error, 'strerror', None) or error}"[:_DETAIL_CHARACTERS_MAX]
    return Poison(Reason.IMAGE_UNREACHABLE, f"{uri[:_DETAIL_CHARACTERS_MAX]}: cannot be read ({says})")
