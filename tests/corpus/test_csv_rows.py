"""A row that a stray quote or comma takes away, or gives to another owner, is refused by its line."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gmv.corpus.csv_rows import csv_rows
from gmv.errors import CorpusRefused

HEADER = ["file_name", "owner_id", "caption"]
ROWS = [[f"{number:02}.png", f"owner {number % 3}", f"caption {number}"] for number in range(12)]


def read(path: Path, content: str | bytes) -> list[dict[str, str]]:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return [row for _, row in csv_rows(path, ("file_name", "owner_id"), ("weight",))]


def lines(changed: dict[int, str]) -> str:
    """Sound lines but for those given, by number from 1."""
    sound = [",".join(row) for row in [HEADER, *ROWS]]
    return "".join(f"{changed.get(number, line)}\n" for number, line in enumerate(sound, 1))


REFUSED: dict[str, tuple[dict[int, str], str]] = {
    "quote not closed": ({5: '03.png,dan,"wide open'}, "line 5: unexpected end of data"),
    "closed by another": ({5: '03.png,dan,"wide', 10: '08.png,ada,a "b" c'}, "line 5: ',' expected after"),
    "closed by a second such line": ({5: '03.png,dan,"wide', 11: '09.png,ben,"close'}, "line 5: ',' expected"),
    "closed at the end of a field": ({5: '03.png,dan,"wide', 11: '09.png,ben,close"'}, "line 5: the field 'caption'"),
    "a caption of two lines": ({3: '01.png,ben,"one\ntwo"'}, "line 3: the field 'caption' goes on"),
    "an owner of two lines": ({3: '01.png,"ben\nann",x'}, "line 3: the field 'owner_id' goes on"),
    "comma without quotes": ({5: "03.png,Smith, John,x"}, "line 5: 4 fields, where the first line has 3"),
    "a blank before the quote": ({5: '03.png, "Smith, John",x'}, "line 5: 4 fields"),
    "quotes escaped by backslashes": ({5: r'03.png,dan,"a \"b\" c"'}, "line 5: ',' expected after"),
    "too few fields": ({7: "05.png,ben"}, "line 7: 2 fields, where the first line has 3"),
    "a row of semicolons": ({7: "05.png;ben;x"}, "line 7: 1 fields"),
    "a quote that swallows within a line": ({7: '05.png,"ben,caption'}, "line 7: "),
    "an owner twice": ({1: "file_name,owner_id,owner_id"}, "line 1: column 'owner_id' is there twice"),
    "a file twice": ({1: "file_name,owner_id,file_name"}, "line 1: column 'file_name' is there twice"),
    "semicolons": ({1: "file_name;owner_id;caption"}, "line 1: 'file_name;owner_id;caption' is parted by semicolons"),
    "tabs": ({1: "file_name\towner_id\tcaption"}, "line 1: .* is parted by tabs"),
    "bars": ({1: "file_name|owner_id|caption"}, "line 1: .* is parted by bars"),
    "blanks in the header": ({1: "file_name, owner_id, caption"}, "line 1: column ' owner_id' has blanks"),
    "other names": ({1: "File,Artist,Text"}, "no column 'file_name', but File, Artist, Text"),
    "a header of two lines": ({1: '"file_name\nx",owner_id,caption'}, "line 1: the field"),
}


@pytest.mark.parametrize(("changed", "sentence"), REFUSED.values(), ids=REFUSED)
def test_what_would_take_a_row_or_an_owner_is_refused_by_line(
    tmp_path: Path, changed: dict[int, str], sentence: str
) -> None:
    with pytest.raises(CorpusRefused, match=sentence):
        read(tmp_path / "m.csv", lines(changed))


@pytest.mark.parametrize("content", [b"\xff\xfef\0", "file_name,owner_id\na,b\nc,J\u00fcrgen\n".encode("latin-1")])
def test_another_encoding_is_refused_by_line(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(CorpusRefused, match=r"line 1: it is UTF-16|line 3: .* at byte 4.*save it as UTF-8"):
        read(tmp_path / "m.csv", content)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("start", ["", "\ufeff"])
def test_sound_rows_are_read_whatever_their_ends_of_line(tmp_path: Path, start: str, end: str) -> None:
    content = io.StringIO()
    wanted = [["a.png", "Smith, John", 'say "hi", 6" tall; a|b'], ["b.png", "ann", "c" * 1_000_000], ["c.png", "b", ""]]
    csv.writer(content, lineterminator=end).writerows([HEADER, *wanted])

    found = read(tmp_path / "m.csv", f"{start}{content.getvalue()}{end}{end}")

    assert found == [dict(zip(HEADER, row, strict=True)) for row in wanted]


_TEXT = st.text(st.sampled_from('ab,"\n\r;\t \\') | st.characters(codec="utf-8"), max_size=8)


@given(st.lists(st.tuples(_TEXT, _TEXT, _TEXT), min_size=1, max_size=5))
def test_what_a_program_wrote_is_read_as_it_was_or_refused(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, str]]
) -> None:
    content = io.StringIO()
    csv.writer(content, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows([HEADER, *rows])
    path = tmp_path_factory.getbasetemp() / "fuzzed.csv"
    broken = any("\n" in field or "\r" in field for row in rows for field in row)

    try:
        found = [tuple(row.values()) for row in read(path, content.getvalue())]
    except CorpusRefused:
        assert broken
    else:
        assert found == rows
        assert not broken


@given(st.integers(2, 12), st.integers(0, 12), st.sampled_from(['"', ",", '""', '",', ',"', "\\", "\n", '"\n']))
def test_a_stray_mark_anywhere_takes_no_row_unseen(
    tmp_path_factory: pytest.TempPathFactory, line: int, place: int, mark: str
) -> None:
    """All rows but the one that was changed come out as they went in, or all is refused."""
    sound = lines({})
    changed = sound.splitlines()[line - 1]
    place = min(place, len(changed))
    path = tmp_path_factory.getbasetemp() / "stray.csv"

    try:
        found = read(path, lines({line: changed[:place] + mark + changed[place:]}))
    except CorpusRefused:
        return
    assert len(found) == len(ROWS)
    others = [row for number, row in enumerate(found, 2) if number != line]
    assert others == [dict(zip(HEADER, row, strict=True)) for number, row in enumerate(ROWS, 2) if number != line]
