"""XMP from strangers: every form of a property is read, and nothing that is no XMP takes time or memory."""

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gmv.rights.plus import MEANINGS, said_in, said_in_damaged
from gmv.rights.xmp import DATA_MINING, OTHER_CONSTRAINTS, PACKET_BYTES_MAX, RIGHTS, XmpRefused, read_xmp
from tests.rights.files import VOCABULARY, mining, packet

URI = f"{VOCABULARY}DMI-PROHIBITED-AIMLTRAINING"
LANGUAGES = "<rdf:Alt><rdf:li xml:lang='x-default'>no &amp; never</rdf:li><rdf:li xml:lang='de'>nie</rdf:li></rdf:Alt>"


@pytest.mark.parametrize(
    "packet_of",
    [
        packet(attributes=f'plus:DataMining="{URI}"'),
        packet(f"<plus:DataMining>{URI}</plus:DataMining>"),
        packet(f"<plus:DataMining>\n  {URI}\n</plus:DataMining>"),
        packet(f'<plus:DataMining rdf:resource="{URI}"/>'),
        packet(f"<plus:DataMining><rdf:Bag><rdf:li>{URI}</rdf:li></rdf:Bag></plus:DataMining>"),
        packet(f"<plus:DataMining>{URI}</plus:DataMining>").replace(b"plus:", b"p2:").replace(b":plus=", b":p2="),
        packet(attributes=f'plus:DataMining="{URI}"') + b" " * 4_000 + b"\0",
        packet(attributes=f'plus:DataMining="{URI}"').decode().encode("utf-16"),
    ],
)
def test_every_form_of_a_property_says_the_same(packet_of: bytes) -> None:
    assert read_xmp(packet_of) == {DATA_MINING: [URI]}


def test_items_are_values_and_the_constraints_are_told_with_the_prohibition() -> None:
    found = read_xmp(
        packet(
            f"<plus:OtherConstraints>{LANGUAGES}</plus:OtherConstraints><dc:rights>{LANGUAGES}</dc:rights>",
            f'plus:DataMining="{VOCABULARY}DMI-PROHIBITED-SEECONSTRAINT"',
        )
    )
    assert found[OTHER_CONSTRAINTS] == found[RIGHTS] == ["no & never", "nie"]
    (said,) = said_in(found)
    assert said.opts_out
    assert said.sentence() == "XMP plus:DataMining: prohibited, see other constraints (no & never nie)"


@pytest.mark.parametrize("code", sorted(MEANINGS))
def test_each_value_of_the_vocabulary_has_its_meaning(code: str) -> None:
    (said,) = said_in(read_xmp(mining(code)))
    assert said.opts_out == code.startswith("DMI-PROHIBITED")
    assert said.what == MEANINGS[code][0]
    for other in (code, code.lower(), f"{VOCABULARY}{code}/", MEANINGS[code][0].capitalize()):
        assert said_in({DATA_MINING: [other]}) == [said]


@pytest.mark.parametrize(
    ("value", "opts_out"),
    [
        ("DMI-PROHIBITED-BYTHEMOON", True),
        ("no", False),
        ("Prohibited, see Other Constraints property", True),
        ("DMI-PERHAPS", False),
        ("😀" * 999, False),
    ],
)
def test_other_values_are_shown(value: str, opts_out: bool) -> None:
    (said,) = said_in({DATA_MINING: [value]})
    assert said.opts_out == opts_out
    assert "in no vocabulary" in said.what
    assert value[:100] in said.what
    assert len(said.what) < 300


BOMB = b"<!DOCTYPE x [<!ENTITY a 'aaaaaaaaaa'>%s]>" % b"".join(
    b"<!ENTITY %c '%s'>" % (98 + number, b"&%c;" % (97 + number) * 10) for number in range(12)
)


ENCODINGS = ("shift_jis", "utf-7", "big5", "nobody-knows")


@pytest.mark.parametrize(
    ("hostile", "why"),
    [
        (BOMB + packet("<dc:rights>&m;</dc:rights>"), "document type"),
        (b"<!DOCTYPE x SYSTEM 'file:///etc/passwd'>" + packet(), "document type"),
        (b"<!DOCTYPE x [<!ENTITY a SYSTEM 'http://127.0.0.1:1/'>]>" + packet("<dc:rights>&a;</dc:rights>"), "document"),
        (packet()[:-60], "no XML"),
        (packet("<dc:rights>&undefined;</dc:rights>"), "no XML"),
        (b"\xff\xfe\0\xd8", "no XML"),
        (b"not XML at all", "no XML"),
        *((f"<?xml version='1.0' encoding='{name}'?>".encode() + packet(), "no XML") for name in ENCODINGS),
        (packet("<x>" * 100 + "</x>" * 100), "nested more than 64 deep"),
        (packet("<dc:rights>" + "a" * PACKET_BYTES_MAX + "</dc:rights>"), "1,048,576 are read"),
        (packet("<nobody:knows/>"), "no XML"),
    ],
)
def test_what_is_no_xmp_is_refused_at_once(hostile: bytes, why: str) -> None:
    started = time.process_time()
    with pytest.raises(XmpRefused, match=why):
        read_xmp(hostile)
    assert time.process_time() - started < 2


def test_a_damaged_packet_still_names_its_values() -> None:
    damaged = mining("DMI-PROHIBITED-GENAIMLTRAINING")[:-40]
    with pytest.raises(XmpRefused):
        read_xmp(damaged)
    (said,) = said_in_damaged(damaged)
    assert said.opts_out
    assert said.sentence() == "XMP that is damaged, plus:DataMining: prohibited for generative AI/ML training"
    assert said_in_damaged(b"") == said_in_damaged(packet()[:-9]) == []


def test_many_values_and_long_ones_are_cut() -> None:
    items = "<rdf:li>" + "a" * 9_000 + "</rdf:li>"
    (values,) = read_xmp(
        packet(f"<dc:rights><rdf:Bag>{items}{'<rdf:li>b</rdf:li>' * 500}</rdf:Bag></dc:rights>")
    ).values()
    assert len(values) <= 100
    assert max(map(len, values)) <= 2_000


@given(st.binary(max_size=300), st.integers(0, 400))
def test_any_bytes_are_read_or_refused(noise: bytes, place: int) -> None:
    whole = mining("DMI-PROHIBITED")
    for hostile in (noise, whole[:place] + noise + whole[place:]):
        with contextlib.suppress(XmpRefused):
            assert all(values for values in read_xmp(hostile).values())
