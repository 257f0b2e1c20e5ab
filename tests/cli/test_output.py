import io
import re
import sys
from decimal import Decimal
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gmv.cli.output import credits_text, print_result, progress, table


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@given(micros=st.integers(-(2**63), 2**63))
def test_credits_are_written_exactly(micros: int) -> None:
    assert credits_text(micros) == f"{Decimal(micros) / 1_000_000:,.6f}"


def test_credits_above_what_a_float_holds() -> None:
    assert credits_text(2**53 + 1) == "9,007,199,254.740993"


def test_json_is_one_object_on_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    print_result({"micros": 2**53 + 1, "report": Path("a/b"), "owners": ["ä"]}, True, lambda: pytest.fail("laid out"))

    told = capsys.readouterr().out
    assert told.count("\n") == 1
    assert orjson.loads(told) == {"micros": 2**53 + 1, "report": "a/b", "owners": ["ä"]}


def test_json_of_an_unknown_type_is_our_fault_and_not_a_guess() -> None:
    with pytest.raises(TypeError):
        print_result({"what": object()}, True, lambda: "")


def test_a_table_cuts_nothing_off_and_reads_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    owner, long_owner = "[bold]ada[/bold]", "".join(chr(ord("a") + place % 26) for place in range(500))
    rows = [(owner, 1), (long_owner, 22)]

    print_result({}, False, lambda: table("Top [owners]", ["owner", "micros"], rows, numbers={"micros"}))

    lines = capsys.readouterr().out.splitlines()
    assert lines[0].strip() == "Top [owners]"
    assert any(line.split() == [owner, "1"] for line in lines)
    assert long_owner in "".join(line.split()[0] for line in lines if line.strip() and "─" not in line)
    assert len({len(line.rstrip()) for line in lines if line.rstrip().endswith(("1", "22"))}) == 1  # to the right


def test_progress_is_silent_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("encoding", total=2, unit="images") as advance:
        advance(2)

    assert "".join(capsys.readouterr()) == ""


def test_progress_is_shown_on_a_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)

    with progress("encoding [x]", total=1_234, unit="images") as advance:
        advance(1_000)
        advance(234)

    assert "encoding [x]" in terminal.getvalue()
    assert "1234/1234 images" in re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", terminal.getvalue())
    assert capsys.readouterr().out == ""
