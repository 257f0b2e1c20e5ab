"""From what an event says of its image to pixels: reads bytes and URIs within the limits of the settings.

An event is written by somebody else, and a URI in it makes this machine read. So a file has to lie under one
configured folder, and nothing else is read unless the settings list both its scheme and its host or bucket; over
HTTP, the host's address has to be a public one besides, or in a network that they list. A store that is listed is read
with this worker's credentials.
"""

import time
from collections.abc import Callable
from typing import Final
from urllib.parse import unquote, urlsplit

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from gmv.errors import Poison, Reason
from gmv.events.addresses import AddressRefused
from gmv.events.local_file import PathRefused, read_below
from gmv.events.model import ImageBytes, ImageUri
from gmv.events.port import ImageSource
from gmv.events.remote_file import PERMANENT, read_remote
from gmv.events.uri_rules import WEB, UriRefused, refuse_unlisted, scheme_of
from gmv.events.web_file import RedirectRefused, WebFiles
from gmv.imaging.decode import ImageLimits, decode_image
from gmv.settings import ImageSettings, redact

FIRST_PAUSE_SECONDS: Final = 0.1
"""Before the second attempt; doubles with each. Short, since the whole run of records waits."""

_SHOWN_CHARACTERS_MAX = 200


class ImageReader(ImageSource):
    """Reads the images of events. Blocking."""

    def __init__(self, settings: ImageSettings) -> None:
        self._settings = settings
        self._limits = ImageLimits(settings.bytes_max, settings.pixels_max)
        self._web = WebFiles(settings.networks)

    @override
    def read(self, content: ImageBytes | ImageUri) -> NDArray[np.uint8]:
        """Return the image, RGB, uint8 [height, width, 3].

        Raises:
            Poison: `image_refused` for what the settings do not allow, `image_unreachable` where reading fails after
                all attempts, `image_corrupt` where the file is damaged.
        """
        if isinstance(content, ImageBytes):
            return decode_image(content.content, self._limits)
        try:
            return decode_image(self._fetch(content.uri), self._limits)
        except Poison as poison:
            raise Poison(poison.reason, f"{_shown(content.uri)}: {poison.detail}") from None

    def _fetch(self, uri: str) -> bytes:
        try:
            scheme = scheme_of(uri)
            if scheme == "file":
                return self._fetch_file(uri)
            refuse_unlisted(uri, self._settings)
            read = self._web.read if scheme in WEB else read_remote
            return self._try(lambda: read(uri, self._limits.bytes_max + 1))
        except (UriRefused, AddressRefused, RedirectRefused) as refusal:
            raise _refused(str(refusal)) from None

    def _fetch_file(self, uri: str) -> bytes:
        root = self._settings.root
        if root is None:
            raise _refused("no file is read, because images.root names no folder; set it to the one images lie in")
        path = _path(uri)
        try:
            return read_below(root, path, self._limits.bytes_max + 1)
        except PathRefused as refusal:
            raise _refused(f"{refusal}; images.root is {root}") from None
        except (OSError, RuntimeError) as error:  # RuntimeError: links in a circle, below Python 3.13
            raise _unreachable(error, attempts=1) from None

    def _try(self, fetch: Callable[[], bytes]) -> bytes:
        attempt = 1
        while True:
            try:
                return fetch()
            except (MemoryError, AddressRefused, RedirectRefused):
                raise
            except Exception as error:  # noqa: BLE001 - every backend has errors of its own
                if isinstance(error, PERMANENT) or attempt == self._settings.attempts:
                    raise _unreachable(error, attempt) from None
            time.sleep(FIRST_PAUSE_SECONDS * 2 ** (attempt - 1))
            attempt += 1


def _path(uri: str) -> str:
    """Return the path of a file URI: absolute, or relative to the root."""
    try:
        parts = urlsplit(uri)
    except ValueError as error:
        raise _refused(f"it is no URI ({error})") from None
    path = unquote(parts.path)
    if parts.netloc not in {"", "localhost"}:
        raise _refused(f"a file URI names no other host; is it file:///{parts.netloc}{parts.path}?")
    if parts.query or parts.fragment:
        raise _refused("write ? as %3F and # as %23 in a file URI")
    if not path or "\0" in path:
        raise _refused("it names no file")
    return path


def _refused(detail: str) -> Poison:
    return Poison(Reason.IMAGE_REFUSED, detail)


def _unreachable(error: Exception, attempts: int) -> Poison:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else redact(str(error))
    tries = f" after {attempts} attempts" if attempts > 1 else ""
    return Poison(
        Reason.IMAGE_UNREACHABLE,
        f"it cannot be read{tries} ({type(error).__name__}: {reason[:_SHOWN_CHARACTERS_MAX]})",
    )


def _shown(uri: str) -> str:
    return redact(uri)[:_SHOWN_CHARACTERS_MAX]
