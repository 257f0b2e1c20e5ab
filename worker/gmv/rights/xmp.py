"""Properties of an XMP packet, read as what it is: XML from strangers.

XMP has no document type, so one is refused, and with it every entity. Source: XMP part 1 (ISO 16684-1), 7, in its
forms: a property is an attribute of `rdf:Description`, an element, an element with `rdf:resource`, or one with items.
"""

from typing import Any, Final
from xml.parsers import expat

PLUS: Final = "http://ns.useplus.org/ldf/xmp/1.0/"
XMP_RIGHTS: Final = "http://ns.adobe.com/xap/1.0/rights/"
CREATIVE_COMMONS: Final = "http://creativecommons.org/ns#"
DUBLIN_CORE: Final = "http://purl.org/dc/elements/1.1/"

DATA_MINING: Final = f"{PLUS} DataMining"
OTHER_CONSTRAINTS: Final = f"{PLUS} OtherConstraints"
CC_LICENCE: Final = f"{CREATIVE_COMMONS} license"
WEB_STATEMENT: Final = f"{XMP_RIGHTS} WebStatement"
USAGE_TERMS: Final = f"{XMP_RIGHTS} UsageTerms"
RIGHTS: Final = f"{DUBLIN_CORE} rights"
_READ: Final = frozenset({DATA_MINING, OTHER_CONSTRAINTS, CC_LICENCE, WEB_STATEMENT, USAGE_TERMS, RIGHTS})

_RDF: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_RESOURCE, _ITEM = f"{_RDF} resource", f"{_RDF} li"

PACKET_BYTES_MAX: Final = 2**20
_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")  # in which a character may end with a byte 0
_DEPTH_MAX: Final = 64
_VALUES_MAX: Final = 100
_VALUE_CHARACTERS_MAX: Final = 2_000


class XmpRefused(Exception):  # noqa: N818 - it says why in a sentence, as `Poison` does
    """A packet that cannot be read."""


def read_xmp(packet: bytes) -> dict[str, list[str]]:
    """Return what a packet says of the properties that are read, by "namespace name"; none of an empty packet.

    Args:
        packet: not compressed, perhaps damaged.

    Raises:
        XmpRefused: it is too large, no XML, has a document type, or is nested too deep.
    """
    trimmed = packet if packet.startswith(_UTF_16) else packet.strip(b"\0 \t\r\n")
    if not trimmed:
        return {}
    if len(trimmed) > PACKET_BYTES_MAX:
        raise XmpRefused(f"the XMP has {len(trimmed):,} bytes, {PACKET_BYTES_MAX:,} are read")
    reading = _Reading()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = reading.start
    parser.EndElementHandler = reading.end
    parser.CharacterDataHandler = reading.text
    parser.StartDoctypeDeclHandler = _refuse_document_type
    try:
        parser.Parse(trimmed, True)
    except (expat.ExpatError, ValueError, LookupError) as error:  # the latter of encodings that expat does not know
        raise XmpRefused(f"the XMP is no XML ({error})") from None
    return {name: kept for name, values in reading.found.items() if (kept := [each for each in values if each])}


def _refuse_document_type(*_: Any) -> None:
    raise XmpRefused("the XMP has a document type, which XMP never has, and which can make text of any size")


class _Reading:
    """Keeps the values of properties while a packet is passed over."""

    def __init__(self) -> None:
        self.found: dict[str, list[str]] = {}
        self._within: list[str] = []
        self._property: str | None = None

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self._within) >= _DEPTH_MAX:
            raise XmpRefused(f"the XMP is nested more than {_DEPTH_MAX} deep")
        self._within.append(name)
        if name in _READ:
            self._property = name
            self._begin(attributes.get(_RESOURCE, ""))
        elif name == _ITEM:
            self._begin("")
        for attribute in attributes.keys() & _READ:
            self.found.setdefault(attribute, []).append(attributes[attribute][:_VALUE_CHARACTERS_MAX].strip())

    def text(self, characters: str) -> None:
        if self._property is not None:
            values = self.found[self._property]
            values[-1] = (values[-1] + characters)[:_VALUE_CHARACTERS_MAX].lstrip()

    def end(self, name: str) -> None:
        self._within.pop()
        if name == self._property:
            self.found[name][-1] = self.found[name][-1].strip()
            self._property = None

    def _begin(self, value: str) -> None:
        if self._property is not None:
            values = self.found.setdefault(self._property, [])
            if len(values) < _VALUES_MAX:
                values.append(value)
