from hypothesis import given
from hypothesis import strategies as st

from gmv.wording import NAME_CHARACTERS_MAX, count_of, shortened


def test_one_is_singular_and_every_other_number_is_plural() -> None:
    assert [count_of(number, "dead letter") for number in (0, 1, 2, 1_000)] == [
        *("0 dead letters", "1 dead letter", "2 dead letters", "1,000 dead letters"),
    ]
    assert [count_of(number, "spacing") for number in (0.64, 1.0)] == ["0.64 spacings", "1 spacing"]


@given(st.text(max_size=3 * NAME_CHARACTERS_MAX))
def test_a_shortened_name_fits_and_keeps_both_ends(name: str) -> None:
    short = shortened(name)
    assert len(short) <= NAME_CHARACTERS_MAX
    if len(name) <= NAME_CHARACTERS_MAX:
        assert short == name
    else:
        begin, _, end = short.partition("…") if "…" not in name else (short[:20], "", short[-20:])
        assert name.startswith(begin)
        assert name.endswith(end)
        assert min(len(begin), len(end)) >= NAME_CHARACTERS_MAX // 3
