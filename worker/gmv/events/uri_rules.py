"""Which URIs of images may be read at all. Decided from the text alone, before any connection is made."""

import re
from collections.abc import Collection
from typing import Final

from gmv.settings import ImageSettings

WEB: Final = frozenset({"http", "https"})
STORES: Final = frozenset({"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss"})
"""Object stores: where they are is the worker's configuration, and a URI names but a bucket there.

All other schemes of fsspec are left out: they read this machine's files, connect to any host that a URI names, or wrap
further URIs.
"""

_URI = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*):(?P<rest>.*)", re.DOTALL)
_PLACE = re.compile(r"//(?P<host>[A-Za-z0-9_.-]+)(?P<port>:\d+)?(?P<path>/[^\s\\]*)?")
_DEFAULT_PORTS: Final = {("http", ":80"), ("https", ":443")}


class UriRefused(Exception):  # noqa: N818 - becomes a refusal
    """The settings do not allow this URI; says why."""


def scheme_of(uri: str) -> str:
    """Return the scheme, in lower case.

    Raises:
        UriRefused: there is none, or it wraps another URI.
    """
    found = _URI.fullmatch(uri)
    if found is None:
        raise UriRefused("a URI starts with a scheme, such as file:")
    if "::" in uri:
        raise UriRefused("a URI that wraps another one is never read")
    return found["scheme"].lower()


def refuse_unlisted(uri: str, settings: ImageSettings) -> None:
    """See that a URI other than of a file is of a scheme, and names a host or a bucket, that the settings list.

    Raises:
        UriRefused: it does not.
    """
    scheme = scheme_of(uri)
    if scheme not in WEB | STORES:
        raise UriRefused(f"the scheme {scheme!r} is never read; {', '.join(sorted(WEB | STORES))} can be allowed")
    if scheme not in map(str.lower, settings.schemes):
        raise UriRefused(f"the scheme {scheme!r} is not allowed; images.schemes may name it, if it is to be read")
    place = _PLACE.fullmatch(uri.partition(":")[2])
    if place is None:
        raise UriRefused(f"it is not of the form {scheme}://name/path, with neither user nor backslash nor space")
    port = "" if (scheme, place["port"]) in _DEFAULT_PORTS else place["port"] or ""
    if not _is_listed(place["host"].lower() + port, settings.hosts):
        raise UriRefused(
            f"{place['host'] + port} is not allowed; images.hosts may name it, if images are to be read from there"
        )


def _is_listed(host: str, listed: Collection[str]) -> bool:
    """Tell whether a host is listed by its name, or below one that is listed as `*.name`."""
    names = {name.lower() for name in listed}
    return host in names or any(f"*.{parent}" in names for parent in _parents(host))


def _parents(host: str) -> list[str]:
    labels = host.split(".")
    return [".".join(labels[start:]) for start in range(1, len(labels))]
