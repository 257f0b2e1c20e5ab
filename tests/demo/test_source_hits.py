import pytest

from gmv.demo.source_hits import outcomes, source_hits, spread
from gmv.valuation.utility import effective_contributors
from tests.demo.world import corpus_of, receipt_of, told_of


def test_hits_are_counted_per_source_and_per_event() -> None:
    told = outcomes(
        [
            receipt_of("both", ["a@1", "b@2", "c@3"]),
            receipt_of("second alone", ["c@3", "b@2", "d@4"]),
            receipt_of("neither", ["c@3", "d@4", "e@5"]),
            receipt_of("unknown", ["a@1", "b@2", "c@3"]),
        ],
        dict.fromkeys(("both", "second alone", "neither"), ("a@1", "b@2")),
    )
    hits = source_hits(told, corpus_of(told, 60))
    assert hits is not None
    assert (hits.events, hits.sources, hits.credited, hits.nearest) == (3, 6, 3, 1)
    assert hits.rate == 0.5
    assert hits.nearest_rate == pytest.approx(1 / 3)
    assert hits.by_chance == pytest.approx(3 / 60)
    earned = sum(entry["micros"] for entry in told[0].receipt["contributors"][:2])
    earned += told[1].receipt["contributors"][1]["micros"]
    assert hits.micros_share == pytest.approx(earned / 3_000_000)
    assert hits.micros_share_by_chance == pytest.approx(6 / 3 / 60)
    assert told[1].missed_sources == ("a@1",)


def test_without_known_sources_there_is_no_hit_rate() -> None:
    assert source_hits(outcomes([receipt_of("a", ["x@1"])], {}), {}) is None


def test_owners_of_sources_are_found_by_any_of_their_images() -> None:
    """Three images share as 6:3:2. Of the first event a source is credited; of the second, its owner's other image."""
    told = outcomes(
        [receipt_of("one", ["a@1", "b@2", "c@3"]), receipt_of("two", ["d@2", "e@1", "c@3"])],
        {"one": ("a@1", "b@2"), "two": ("a@1",)},
    )
    corpus = {"a@1": "1", "b@2": "2", "c@3": "3", "d@2": "2", "e@1": "1", "f@4": "4", "g@4": "4", "h@4": "4"}
    hits = source_hits(told, corpus)
    assert hits is not None
    assert hits.owners_share == pytest.approx((9 / 11 + 3 / 11) / 2, abs=1e-6)
    assert hits.micros_share == pytest.approx(9 / 11 / 2, abs=1e-6)
    assert hits.owners_share_by_chance == pytest.approx((4 / 8 + 2 / 8) / 2)
    shares = [entry["utility"] for entry in told[0].receipt["contributors"]]
    assert hits.effective_contributors == pytest.approx(effective_contributors(shares))
    assert [outcome.is_copy for outcome in told] == [False, True]


def test_the_spread_runs_from_the_best_to_the_worst_at_equal_steps() -> None:
    told = told_of(45)
    chosen = spread(told, 12)
    shares = [outcome.micros_to_sources for outcome in chosen]
    everything = [outcome.micros_to_sources for outcome in told]
    assert len({outcome.event_id for outcome in chosen}) == 12
    assert shares == sorted(shares, reverse=True)
    assert (shares[0], shares[-1]) == (max(everything), min(everything))


def test_few_outcomes_are_all_chosen() -> None:
    assert {outcome.event_id for outcome in spread(told_of(5), 12)} == {f"event-{n:03}" for n in range(5)}
