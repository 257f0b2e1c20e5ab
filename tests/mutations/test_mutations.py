"""Each mutation still fits the code: moving a protection is noticed at once. `make mutations` runs them."""

import ast
from pathlib import Path

import pytest

from .catalogue import MUTATIONS
from .mutation import SOURCE, Mutation, PatchFailed
from .mutation import pytest as some_tests

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.protection)
def test_the_protection_is_where_it_was(mutation: Mutation) -> None:
    text = (ROOT / SOURCE / mutation.file).read_text()
    mutated = mutation.applied_to(text)
    assert mutated != text
    if mutation.file.endswith(".py"):
        ast.parse(mutated)
    for argument in mutation.caught_by:
        assert not argument.startswith("tests/") or (ROOT / argument.split("::")[0]).exists(), argument


def test_names_are_distinct() -> None:
    assert len({mutation.protection for mutation in MUTATIONS}) == len(MUTATIONS)


@pytest.mark.parametrize("text", ["nothing of the kind", "here and here"])
def test_a_text_that_is_gone_or_there_twice_is_refused(text: str) -> None:
    with pytest.raises(PatchFailed, match="is there"):
        Mutation("a check", "file.py", "here", "", some_tests()).applied_to(text)
