"""`plus:DataMining`, which the IPTC Photo Metadata Standard took over in 2023: what its values mean.

It is a property of XMP; IPTC's older form, IIM, has none. Source: PLUS License Data Format, controlled vocabulary
`http://ns.useplus.org/ldf/vocab/`; IPTC Photo Metadata Standard 2023.1, "Data Mining" and "Other Constraints".
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from gmv.rights.said import Said, short
from gmv.rights.xmp import DATA_MINING, OTHER_CONSTRAINTS

WHERE: Final = "XMP plus:DataMining"
DAMAGED: Final = "XMP that is damaged, plus:DataMining"

MEANINGS: Final[Mapping[str, tuple[str, bool]]] = {
    "DMI-UNSPECIFIED": ("unspecified, no prohibition defined", False),
    "DMI-ALLOWED": ("allowed", False),
    "DMI-PROHIBITED": ("prohibited", True),
    "DMI-PROHIBITED-AIMLTRAINING": ("prohibited for AI/ML training", True),
    "DMI-PROHIBITED-GENAIMLTRAINING": ("prohibited for generative AI/ML training", True),
    "DMI-PROHIBITED-EXCEPTSEARCHENGINEINDEXING": ("prohibited except for search engine indexing", True),
    "DMI-PROHIBITED-SEECONSTRAINT": ("prohibited, see other constraints", True),
    "DMI-PROHIBITED-SEEEMBEDDEDRIGHTSEXPR": ("prohibited, see embedded rights expression", True),
    "DMI-PROHIBITED-SEELINKEDRIGHTSEXPR": ("prohibited, see linked rights expression", True),
}
"""By the last part of the URI: what it says, and whether that is an opt-out."""

_BY_WORDS: Final = {words.lower(): code for code, (words, _) in MEANINGS.items()}
_CODE: Final = re.compile(rb"DMI-[A-Z]+(?:-[A-Z]+)?")


def said_in(properties: Mapping[str, Sequence[str]]) -> list[Said]:
    """Return what a packet's properties say.

    A value that is in no vocabulary is shown, and is an opt-out if it begins as a prohibition does.
    """
    constraints = short(" ".join(properties.get(OTHER_CONSTRAINTS, ())))
    return [_said(value, WHERE, constraints) for value in properties.get(DATA_MINING, ())]


def said_in_damaged(packet: bytes) -> list[Said]:
    """Return what values a packet names that cannot be read: whoever wrote one meant something by it."""
    codes = sorted({each.decode() for each in _CODE.findall(packet)})
    return [_said(code, DAMAGED, "") for code in codes]


def _said(value: str, where: str, constraints: str) -> Said:
    code = _code_of(value)
    if code not in MEANINGS:
        opts_out = code.startswith("DMI-PROHIBITED") or value.strip().upper().startswith("PROHIBITED")
        return Said(where, f"{short(value)!r}, which is in no vocabulary", opts_out)
    words, opts_out = MEANINGS[code]
    return Said(where, f"{words} ({constraints})" if opts_out and constraints else words, opts_out)


def _code_of(value: str) -> str:
    """Return the last part of a URI, in capitals; of the words for a value, its code."""
    last = value.strip().rstrip("/").rpartition("/")[2]
    return _BY_WORDS.get(" ".join(value.lower().split()), last.upper())
