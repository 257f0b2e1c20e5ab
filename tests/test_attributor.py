"""The attributor over tiny worlds, whose contributors and credits are known by hand."""

import hashlib
import math
import struct
from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from gmv import attributor
from gmv.attributor import Attributor
from gmv.corpus.port import TrainingImage
from gmv.encoders.mirror import mirror_of_signs
from gmv.encoders.port import Features, MirroringEncoder
from gmv.errors import Poison, Reason
from gmv.events.model import EventFeatures, GeneratedImage, ImageBytes, ImageUri
from gmv.index.evidence import EvidenceJudge
from gmv.index.port import LooksRecalled, Recall
from gmv.settings import Method
from gmv.valuation.attribution import owner_credits
from gmv.valuation.evidence import EvidenceRule
from gmv.valuation.owners import Ownership
from gmv.valuation.types import Attribution
from gmv.valuation.wasserstein.rerank import ExactReranker

PLACES = [0.0, 1.0, 1.0, 5.0]
"""Training images are single tokens on a line, so W1 is the distance between two numbers."""

IMAGES = [TrainingImage("a", "ada", 1.0), TrainingImage("b", "ben", 1.0), TrainingImage("c", "ada", 0.5)]
IMAGES.append(TrainingImage("d", "dee", 1.0))


class Line(Recall):
    """Index, encoder and image source of the world: a file is its place, an image as many pixels as that."""

    encoder_id = "line"
    vector_size = 1
    tokens_shape = (1, 1)

    def __init__(self) -> None:
        self.encoded: list[int] = []

    def read(self, content: ImageBytes | ImageUri) -> NDArray[np.uint8]:
        if not isinstance(content, ImageBytes) or not content.content.isdigit():
            raise Poison(Reason.IMAGE_CORRUPT, "no place")
        return np.zeros((1, int(content.content), 3), np.uint8)

    def encode(self, images: Sequence[NDArray[np.uint8]]) -> Features:
        self.encoded.append(len(images))
        places = np.array([image.shape[1] for image in images], np.float32)
        return Features(places.reshape(-1, 1), places.reshape(-1, 1, 1))

    def recall(self, vectors: NDArray[np.float32], candidates: int) -> list[NDArray[np.int64]]:
        return [np.argsort(np.abs(np.array(PLACES) - vector[0]), kind="stable")[:candidates] for vector in vectors]

    def images(self, rows: Sequence[int] | NDArray[np.int64]) -> list[TrainingImage]:
        return [IMAGES[row] for row in rows]

    def known_images(self, image_ids: Collection[str]) -> set[str]:
        return {image.image_id for image in IMAGES} & set(image_ids)

    def known_owners(self, owner_ids: Collection[str]) -> set[str]:
        return {image.owner_id for image in IMAGES} & set(owner_ids)

    def __len__(self) -> int:
        return len(IMAGES)


def over(
    line: Line,
    candidates: int = 100,
    contributors: int = 10,
    ownership: Ownership | None = None,
    digests_features: bool = False,
    is_mirrored: bool = False,
    judge: EvidenceJudge | None = None,
) -> Attributor:
    settings = Method(candidates=candidates, contributors=contributors, temperature=1.0)
    reranker = ExactReranker(np.array(PLACES, np.float16).reshape(-1, 1, 1))
    mirror = line if is_mirrored and isinstance(line, MirroringEncoder) else None
    said = ownership or Ownership()
    return Attributor(
        line,
        line,
        line,
        reranker,
        line,
        settings,
        said,
        mirror,
        digests_features=digests_features,
        judge=judge,
    )


class Mirrored(Line):
    """The same, where an image at p is at 6 - p in the mirror; each look recalls the nearest row alone."""

    token_scale = 1
    vector_places = 1
    vector_mirror = mirror_of_signs(np.ones(1, np.int8))

    def mirrored(self, features: Features) -> Features:
        return Features(6 - features.vectors, 6 - features.tokens)

    def recall_looks(self, vectors: NDArray[np.float32], candidates: int) -> list[LooksRecalled]:
        looks = self.recall(vectors, 1), self.recall(6 - vectors, 1)
        return [LooksRecalled(*rows) for rows in zip(*looks, strict=True)]


def event(place: int | str, quality: float = 1.0) -> GeneratedImage:
    return GeneratedImage("/line", f"at-{place}", ImageBytes(str(place).encode()), quality)


def credited(outcome: Attribution | Poison) -> dict[str, int]:
    assert isinstance(outcome, Attribution)
    return {contributor.image_id: contributor.micros for contributor in outcome.contributors}


def test_an_exact_copy_and_two_as_far_from_it() -> None:
    """At 1: b and c at distance 0, a at 1; c has half a weight. Shares are e^0, e^0, e^-1 over their sum."""
    (outcome,) = over(Line(), contributors=3).attribute([event(1)])
    whole = 2 + math.exp(-1)
    assert isinstance(outcome, Attribution)
    assert [c.image_id for c in outcome.contributors] == ["b", "c", "a"]
    assert [c.distance for c in outcome.contributors] == [0.0, 0.0, 1.0]
    assert outcome.micros == round(1e6 * (1.5 + math.exp(-1)) / whole)
    assert credited(outcome)["b"] == pytest.approx(1e6 / whole, abs=1)
    assert sum(credited(outcome).values()) == outcome.micros


def test_each_look_is_ranked_over_what_it_recalled() -> None:
    """At 1, b is at no distance; the mirrored look is at 5, where d is."""
    (outcome,) = over(Mirrored(), is_mirrored=True).attribute([event(1)])
    assert isinstance(outcome, Attribution)
    found = [(each.image_id, each.distance, each.mirrored) for each in outcome.contributors]
    assert found == [("b", 0.0, False), ("d", 0.0, True)]


def test_fewer_images_than_contributors_share_all_of_it() -> None:
    (outcome,) = over(Line()).attribute([event(5)])
    assert len(credited(outcome)) == len(IMAGES)


def test_only_recalled_images_can_contribute() -> None:
    (outcome,) = over(Line(), candidates=1).attribute([event(4)])
    assert credited(outcome) == {"d": 1_000_000}


def test_at_several_temperatures_each_outcome_is_that_of_the_temperature_alone() -> None:
    """Poison among them; the images are encoded once."""
    line, events = Line(), [event(1), event("nowhere"), event(4, quality=0.5)]
    found = over(line).attribute_at(events, [0.25, 1.0, 8.0])
    assert line.encoded == [2]
    for temperature, outcomes in zip((0.25, 1.0, 8.0), found, strict=True):
        settings = Method(candidates=100, contributors=10, temperature=temperature)
        reranker = ExactReranker(np.array(PLACES, np.float16).reshape(-1, 1, 1))
        alone = Attributor(line, line, line, reranker, line, settings, Ownership()).attribute(events)
        assert [outcomes[0], outcomes[2]] == [alone[0], alone[2]]
        assert isinstance(outcomes[1], Poison)
    assert credited(found[0][0])["b"] > credited(found[2][0])["b"]


def test_quality_scales_the_budget() -> None:
    (outcome,) = over(Line(), candidates=1).attribute([event(4, quality=0.25)])
    assert credited(outcome) == {"d": 250_000}


def judging(left_out: Sequence[float], is_policy: bool, flat_from: int = 2) -> EvidenceJudge:
    tokens = np.array(PLACES, np.float16).reshape(-1, 1, 1)
    return EvidenceJudge(EvidenceRule(left_out, 0.34, is_policy), flat_from, tokens, positions=0)


def test_evidence_for_a_copy_and_against_what_is_as_far_from_several() -> None:
    """At 1: b, c and a, d at 0, 0, 1, 4; at 3: b, c, d at 2, a at 3. Ratios 0 and 2/3, against .5 and .9."""
    judge = judging((0.5, 0.9), is_policy=True)
    copy, between = over(Line(), judge=judge).attribute([event(1), event(3)])
    assert isinstance(copy, Attribution)
    assert isinstance(between, Attribution)
    assert copy.evidence is not None
    assert between.evidence is not None
    assert (copy.evidence.p_value, copy.evidence.is_reliable, copy.unattributed_micros) == (1 / 3, True, 0)
    assert (between.evidence.p_value, between.evidence.is_reliable) == (2 / 3, False)
    assert credited(copy) == credited(over(Line()).attribute([event(1)])[0])
    assert set(credited(between).values()) == {0}
    assert owner_credits([between]) == {"unattributed": between.micros}
    assert between.micros == sum(credited(over(Line()).attribute([event(3)])[0]).values()) > 0


def test_without_the_policy_evidence_changes_no_credit() -> None:
    judged = over(Line(), judge=judging((0.5, 0.9), is_policy=False)).attribute([event(3, 0.25)])[0]
    plain = over(Line()).attribute([event(3, 0.25)])[0]
    assert isinstance(judged, Attribution)
    assert judged.evidence is not None
    assert not judged.evidence.is_reliable
    assert replace(judged, evidence=None) == plain


def test_evidence_does_not_depend_on_how_many_share_the_credit() -> None:
    """K of 1 is ranked as far as evidence needs; the second and later earn nothing."""
    judge = judging((0.5, 0.9), is_policy=True)
    outcomes = [over(Line(), contributors=k, judge=judge).attribute([event(1), event(3)]) for k in (1, 2, 10)]
    found = [[each.evidence for each in some if isinstance(each, Attribution)] for some in outcomes]
    assert found[0] == found[1] == found[2]
    assert [len(credited(some[0])) for some in outcomes] == [1, 2, 4]


def test_a_flat_picture_pays_nobody_though_it_is_a_copy() -> None:
    copy = over(Line(), judge=judging((0.5, 0.9), is_policy=True, flat_from=1)).attribute([event(1)])[0]
    assert isinstance(copy, Attribution)
    assert copy.evidence is not None
    assert (copy.evidence.is_flat, copy.evidence.is_reliable) == (True, False)
    assert owner_credits([copy]) == {"unattributed": copy.micros}


def test_what_owners_have_said_decides_who_is_paid() -> None:
    """At 4 with one contributor, d has all; then it is ben's, or nobody's."""
    nearest = [
        over(Line(), candidates=1, ownership=said).attribute([event(4)])[0]
        for said in (Ownership(owners={"d": "ben"}), Ownership(frozenset({"dee"})), Ownership(is_left_out=True))
    ]
    assert [owner_credits([each]) for each in nearest if isinstance(each, Attribution)] == [
        {"ben": 1_000_000},
        {},
        {"dee": 1_000_000},
    ]


def test_outcomes_stand_in_the_order_of_events_whatever_else_is_in_the_batch() -> None:
    events = [event(1), event("nowhere"), event(5), event(4)]
    together = over(Line()).attribute(events)
    assert isinstance(together[1], Poison)
    assert together[1].reason == Reason.IMAGE_CORRUPT
    alone = [over(Line()).attribute([each])[0] for each in events]
    assert [together[place] for place in (0, 2, 3)] == [alone[place] for place in (0, 2, 3)]
    assert over(Line()).attribute([]) == []


def test_large_images_are_encoded_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attributor, "PIXEL_BYTES_AT_ONCE", 12)
    line = Line()
    over(line).attribute([event(place) for place in (1, 5, 1, 1, 1, 4)])
    assert line.encoded == [2, 4]


def features(encoder_id: str = "line", vector: int = 1, token: int = 1) -> GeneratedImage:
    content = EventFeatures(encoder_id, np.ones(vector, np.float32), np.ones((1, token), np.float32))
    return GeneratedImage("/line", "features", content)


def of_length(length: float) -> GeneratedImage:
    content = EventFeatures("line", np.array([length], np.float32), np.ones((1, 1), np.float32))
    return GeneratedImage("/line", "features", content)


def test_features_are_taken_as_they_come() -> None:
    assert over(Line()).attribute([features()])[0] == over(Line()).attribute([event(1)])[0]


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        (features(encoder_id="other"), Reason.WRONG_ENCODER),
        (features(vector=2), Reason.INVALID_FEATURES),
        (features(token=2), Reason.INVALID_FEATURES),
        (of_length(0.0), Reason.INVALID_FEATURES),
        (of_length(2.0), Reason.INVALID_FEATURES),
    ],
)
def test_features_that_cannot_be_compared_are_poison(told: GeneratedImage, reason: Reason) -> None:
    (outcome,) = over(Line()).attribute([told])
    assert isinstance(outcome, Poison)
    assert outcome.reason == reason


class Picky(Line):
    """Cannot encode an image of three pixels, as a network that overflows."""

    def encode(self, images: Sequence[NDArray[np.uint8]]) -> Features:
        if any(image.shape[1] == 3 for image in images):
            raise Poison(Reason.INVALID_FEATURES, "not finite")
        return super().encode(images)


def test_an_image_that_cannot_be_encoded_takes_no_other_with_it() -> None:
    outcomes = over(Picky(), candidates=1).attribute([event(0), event(3), event(5), event("x"), event(3)])

    assert [type(outcome) for outcome in outcomes] == [Attribution, Poison, Attribution, Poison, Poison]
    assert [credited(outcomes[0]), credited(outcomes[2])] == [{"a": 1_000_000}, {"d": 1_000_000}]


def test_features_are_named_where_another_machine_may_see_others() -> None:
    """By shape and numbers, little-endian: D, n and d, the vector, the tokens."""
    brought = EventFeatures("line", np.ones(1, np.float32), np.full((1, 1), 5, np.float32))
    events = [event(5), GeneratedImage("/line", "brought", brought), event(5)]
    named = over(Line(), digests_features=True).attribute(events)
    expected = hashlib.sha256(struct.pack("<IIIff", 1, 1, 1, 5.0, 5.0)).hexdigest()

    assert [each.features for each in named if isinstance(each, Attribution)] == [expected, None, expected]
    assert all(isinstance(each, Attribution) and each.features is None for each in over(Line()).attribute(events))
