import io
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gmv.cli.output import credits_text, facts, progress, render, table


class Why(StrEnum):
    LATE = "late"


class Place(NamedTuple):
    topic: str
    offset: int


@dataclass(frozen=True, slots=True)
class Part:
    from_: str
    content: bytes | None = None

    @property
    def secret(self) -> str:
        return "is no field"


@dataclass(frozen=True, slots=True)
class Result:
    micros: int
    report: Path
    owners: tuple[str, ...]
    parts: tuple[Part, ...]
    counts: Mapping[Any, int]
    place: Place


@dataclass(frozen=True, slots=True)
class Anything:
    value: object


RESULT = Result(2**53 + 1, Path("a/b"), ("ä",), (Part("x", b"\xff"), Part("y")), {3: 1, Why.LATE: 2}, Place("t", 4))


def unwanted(_: object) -> NoReturn:
    pytest.fail("laid out")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@given(micros=st.integers(-(2**63), 2**63))
def test_credits_are_written_exactly(micros: int) -> None:
    assert credits_text(micros) == f"{Decimal(micros) / 1_000_000:,.6f}"


def test_credits_above_what_a_float_holds() -> None:
    assert credits_text(2**53 + 1) == "9,007,199,254.740993"


def test_json_is_one_object_on_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    render(RESULT, True, unwanted)

    printed = capsys.readouterr().out
    assert printed.count("\n") == 1
    assert list(orjson.loads(printed).items()) == [
        ("micros", 2**53 + 1),
        ("report", "a/b"),
        ("owners", ["ä"]),
        ("parts", [{"from": "x", "content": "/w=="}, {"from": "y", "content": None}]),
        ("counts", {"3": 1, "late": 2}),
        ("place", {"topic": "t", "offset": 4}),
    ]


def test_json_of_an_unknown_type_is_our_fault_and_not_a_guess() -> None:
    with pytest.raises(TypeError):
        render(Anything(object()), True, unwanted)


def test_people_see_the_parts_in_order_and_no_json(capsys: pytest.CaptureFixture[str]) -> None:
    def view(result: Anything) -> Iterator[Any]:
        yield "first"
        yield facts(None, [("value", result.value), ("flag", True)])
        yield "last"

    render(Anything(12_345), False, view)

    lines = [line.split() for line in capsys.readouterr().out.splitlines() if line.strip(" ─")]
    assert lines == [["first"], ["value", "12,345"], ["flag", "True"], ["last"]]


def test_text_is_neither_folded_nor_read_as_markup(capsys: pytest.CaptureFixture[str]) -> None:
    sentence = "[bold]ada[/bold] of [/] and :smile: in [link=x]y " + "long " * 100

    render(Anything(sentence), False, lambda result: iter([str(result.value)]))

    assert capsys.readouterr().out == f"{sentence}\n"


def test_a_table_cuts_nothing_off_and_reads_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    owner, long_owner = "[bold]ada[/bold]", "".join(chr(ord("a") + place % 26) for place in range(500))
    rows = [(owner, 1), (long_owner, 22)]

    render(RESULT, False, lambda _: iter([table("Top [owners]", ["owner", "micros"], rows, numbers={"micros"})]))

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
