import uuid

import pytest

from gmv.corpus.catalogue import Row, checked_catalogue
from gmv.corpus.names import checked_name, is_account, names_alike
from gmv.corpus.tables import TableKind, Tables
from gmv.errors import CorpusRefused

PERSIAN = "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627"
MALAYALAM = "\u0d28\u0d4d\u200d\u0d31"  # the joiner follows a mark, not a letter
UUID = uuid.UUID(int=7)


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (PERSIAN, PERSIAN),
        (MALAYALAM, MALAYALAM),
        ("Jos\u00e9", "Jos\u00e9"),
        (b"ann", "ann"),
        (UUID, str(UUID)),
        (2**70, "1180591620717411303424"),
        ("a b", "a b"),
    ],
)
def test_names_of_people_and_programs_are_taken(value: object, name: str) -> None:
    assert checked_name("row 1", "owner_id", value) == name


@pytest.mark.parametrize(
    "value",
    [
        "\u200cali",  # at the beginning
        "ali\u200d",  # at the end
        "a\u200c\u200cb",  # two
        "a \u200cb",  # beside a blank
        "1\u200d2",  # between digits
        "a\u200bb",  # a blank of no width
        "a\u202eb",  # turns the reading direction
        "a\ud800b",
        "a\x00b",
        b"\xff",
        1.5,
        True,
        ["ann"],
    ],
)
def test_what_nobody_could_read_is_no_name(value: object) -> None:
    with pytest.raises(CorpusRefused, match="row 1: owner_id"):
        checked_name("row 1", "owner_id", value)


def test_names_that_look_alike_are_told_in_groups() -> None:
    alike = [
        ("Ann", "ann"),
        ("Jos\u00e9", "Jose\u0301"),
        ("J. Doe", "J.\u00a0Doe", "J.Doe"),
        (PERSIAN, PERSIAN.replace("\u200c", "")),
    ]

    found = names_alike([name for group in alike for name in group] + ["ben", "be", "Bern"])

    assert sorted(map(sorted, found)) == sorted(map(sorted, alike))


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("unattributed", True),
        ("Unattributed", True),
        ("un attributed", True),
        ("\uff35nattributed", True),
        ("unattributed-2", False),
        ("attributed", False),
    ],
)
def test_an_owner_who_reads_like_the_account_is_refused_by_the_row(name: str, is_one: bool) -> None:
    assert is_account(name) is is_one
    rows = [Row("row 1", "i1", "ada", None), Row("row 2", "i2", name, None)]
    tables = Tables("corpus", TableKind.PARQUET, [])
    if is_one:
        with pytest.raises(CorpusRefused, match=r"row 2: owner_id .* reads like the account `unattributed`"):
            checked_catalogue(rows, tables)
    else:
        assert [image.owner_id for image in checked_catalogue(rows, tables).images] == ["ada", name]
