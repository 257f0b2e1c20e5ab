"""Whom a misspelt name is likely to mean."""

import pytest

from gmv.operations.owner_names import close_names, likely_meant

KNOWN = ["ada", "Ben", "studio north", "studio-south", "Émile"]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("aad", ["ada"]),
        ("ADA", ["ada"]),
        ("ada ", ["ada"]),
        ("ben", ["Ben"]),
        ("studio  North", ["studio north"]),
        ("studio-suoth", ["studio-south"]),
        ("ａｄａ", ["ada"]),  # noqa: RUF001 - full width
        ("E\u0301mile", ["Émile"]),
        ("somebody else altogether", []),
        ("", []),
    ],
)
def test_close_names(name: str, meant: list[str]) -> None:
    assert close_names(name, KNOWN)[:1] == meant


def test_three_at_most_and_closest_first() -> None:
    assert close_names("ada", ["adam", "adan", "adas", "ada1", "ADA"])[0] == "ADA"
    assert len(close_names("ada", ["adam", "adan", "adas", "ada1", "ADA"])) == 3
    assert likely_meant("aad", KNOWN) == "; did you mean 'ada'?"
    assert likely_meant("zzz", KNOWN) == ""
