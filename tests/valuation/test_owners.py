"""What owners say, applied to contributor sets whose credits are known by hand."""

from hypothesis import given
from hypothesis import strategies as st

from gmv.valuation.attribution import owner_credits, value_contributors
from gmv.valuation.owners import Ownership
from gmv.valuation.types import Candidate

EQUALLY_NEAR = [
    Candidate(name, owner, 1.0, 0.5) for name, owner in (("a", "ada"), ("b", "ben"), ("c", "cy"), ("d", "dee"))
]


def credits(ownership: Ownership) -> dict[str, int]:  # noqa: A001 - the field's own word
    return owner_credits([value_contributors(ownership.apply(EQUALLY_NEAR), 1.0, 1.0)])


def test_nothing_said_changes_nothing() -> None:
    assert Ownership().apply(EQUALLY_NEAR) == EQUALLY_NEAR
    assert credits(Ownership()) == {"ada": 250_000, "ben": 250_000, "cy": 250_000, "dee": 250_000}


def test_who_opted_out_keeps_a_share_that_nobody_is_paid() -> None:
    said = Ownership(frozenset({"ada"}), frozenset({"d"}))
    assert credits(said) == {"ben": 250_000, "cy": 250_000}
    assert [each.weight for each in said.apply(EQUALLY_NEAR)] == [0.0, 1.0, 1.0, 0.0]


def test_or_is_left_out_and_the_others_share_all() -> None:
    said = Ownership(frozenset({"ada"}), frozenset({"d"}), is_left_out=True)
    assert credits(said) == {"ben": 500_000, "cy": 500_000}
    assert credits(Ownership(frozenset({"ada", "ben", "cy", "dee"}), is_left_out=True)) == {}


def test_an_image_is_credited_to_whose_it_is_now() -> None:
    assert credits(Ownership(owners={"a": "ben", "c": "new"})) == {"ben": 500_000, "new": 250_000, "dee": 250_000}


def test_an_image_given_to_who_opted_out_is_out_and_one_given_away_is_not() -> None:
    said = Ownership(frozenset({"ada"}), owners={"a": "ben", "c": "ada"})
    assert credits(said) == {"ben": 500_000, "dee": 250_000}


NAMES = st.sampled_from("abcdef")


@given(
    st.lists(
        st.builds(Candidate, NAMES, NAMES, st.floats(0, 1), st.floats(0, 9)), unique_by=lambda each: each.image_id
    ),
    st.frozensets(NAMES),
    st.frozensets(NAMES),
    st.dictionaries(NAMES, NAMES),
    st.booleans(),
)
def test_nobody_who_opted_out_is_paid(
    candidates: list[Candidate],
    owners_out: frozenset[str],
    images_out: frozenset[str],
    owners: dict[str, str],
    is_left_out: bool,
) -> None:
    said = Ownership(owners_out, images_out, owners, is_left_out)
    valued = value_contributors(said.apply(candidates), 1.0, 1.0)
    assert not owner_credits([valued]).keys() & owners_out
    assert sum(each.micros for each in valued.contributors) == valued.micros
    for each in valued.contributors:
        assert each.owner_id == owners.get(each.image_id, each.owner_id)
        assert not each.micros or each.image_id not in images_out
    if not is_left_out:
        assert [each.image_id for each in valued.contributors] == [each.image_id for each in candidates]
