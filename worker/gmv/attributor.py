"""The method, on one run of events: features, recall, exact re-rank, utility, credit (GMValuator, arXiv:2304.10701).

An outcome depends on its own event, the index and the settings alone: not on the batch, its order, or the clock.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gmv.corpus.features import features_digest
from gmv.corpus.port import ImageFeatures
from gmv.encoders.integers import check_integers
from gmv.encoders.port import Encoder, Features, MirroringEncoder, Numbers, check_unit_length
from gmv.encoders.reduced import ReducedFeatures
from gmv.errors import Poison, Reason
from gmv.events.model import EventFeatures, GeneratedImage
from gmv.events.port import ImageSource, Pixels
from gmv.index.evidence import EvidenceJudge
from gmv.index.groups import CopyGroups
from gmv.index.port import ImagesTable, LooksRecalled, Recall
from gmv.settings import Method
from gmv.valuation.attribution import value_places, withheld
from gmv.valuation.copies import PAID_OWNERS_MAX, paid_copies
from gmv.valuation.evidence import RANK
from gmv.valuation.owners import Ownership
from gmv.valuation.ranking import MirroredLook, Ranking, Reranker
from gmv.valuation.types import Attribution, Candidate

Seen = tuple[Numbers, Numbers]
"""One image's features: its vector, [D], and its tokens, [n, d]."""


NOBODY = Ranking(np.empty(0, np.int64), np.empty(0), np.empty(0, np.bool_), None)
"""Of a query without candidates."""

PIXEL_BYTES_AT_ONCE = 64 * 2**20
"""Images of a run are decoded and encoded in pieces of about this size: a run of bombs, 128 small files of 50 million
pixels each, would otherwise take 19 GB."""


class Attributor:
    """Turns events into attributions. Blocking: about all of a worker's computing happens here."""

    def __init__(
        self,
        images: ImageSource,
        encoder: Encoder,
        recall: Recall,
        reranker: Reranker,
        table: ImagesTable,
        settings: Method,
        ownership: Ownership,
        mirror: MirroringEncoder | None = None,
        reducer: ReducedFeatures | None = None,
        *,
        groups: CopyGroups | None = None,
        digests_features: bool = False,
        judge: EvidenceJudge | None = None,
    ) -> None:
        """Put the steps together.

        Args:
            images: reads what events name or hold.
            encoder: of the index.
            recall: over the index.
            reranker: over the index.
            table: who made what.
            settings: M, K, tau, and who is paid for near copies.
            ownership: who is paid instead of whom, and who is opted out.
            mirror: the encoder, where generated images are also compared mirrored.
            reducer: the encoder, where tokens that events bring are made fewer and smaller, as those of the index were.
            groups: of near copies, which have one place in a ranking; None where each has its own.
            digests_features: whether an attribution names the features of an image that was encoded here: of an encoder
                that sees others on another machine. Reduced ones are named in any case.
            judge: of what speaks for contributors; None of an index that has nothing to compare with.
        """
        self._images = images
        self._encoder = encoder
        self._recall = recall
        self._reranker = reranker
        self._table = table
        self._settings = settings
        self._ownership = ownership
        self._mirror = mirror
        self._reducer = reducer
        self._groups = groups
        self._digests_features = digests_features
        self._judge = judge

    def attribute(self, events: Sequence[GeneratedImage]) -> list[Attribution | Poison]:
        """Return one outcome per event, in order: what its contributors are credited, or why there are none."""
        (outcomes,) = self.attribute_at(events, [self._settings.temperature])
        return outcomes

    def attribute_at(
        self, events: Sequence[GeneratedImage], temperatures: Sequence[float]
    ) -> list[list[Attribution | Poison]]:
        """Return, for each temperature, what `attribute` would at it; all of them from one ranking.

        Args:
            events: of one run.
            temperatures: each a tau of the softmax, > 0.
        """
        features = self._features(events)
        poison = {place: found for place, found in enumerate(features) if isinstance(found, Poison)}
        seen = {place: found for place, found in enumerate(features) if not isinstance(found, Poison)}
        ranked = dict(zip(seen, self._ranked(list(seen.values())), strict=True))
        return [
            [
                poison[place] if place in poison else self._value(event, seen[place], ranked[place], temperature)
                for place, event in enumerate(events)
            ]
            for temperature in temperatures
        ]

    def _features(self, events: Sequence[GeneratedImage]) -> list[Seen | Poison]:
        """Step 1: take the features the event brings, or read and encode its image."""
        seen: list[Seen | Poison] = []
        opened: list[Seen | Pixels | Poison] = []
        opened_bytes = 0
        for event in events:
            opened.append(look := self._open(event))
            opened_bytes += look.nbytes if isinstance(look, np.ndarray) else 0
            if opened_bytes >= PIXEL_BYTES_AT_ONCE:
                seen += self._encode(opened)
                opened, opened_bytes = [], 0
        return seen + self._encode(opened)

    def _encode(self, opened: Sequence[Seen | Pixels | Poison]) -> list[Seen | Poison]:
        """Put features in the place of pixels."""
        images = [look for look in opened if isinstance(look, np.ndarray)]
        if not images:
            return [look for look in opened if not isinstance(look, np.ndarray)]
        try:
            features = self._encoder.encode(images)
        except Poison as poison:
            if len(images) == 1:
                return [poison if isinstance(look, np.ndarray) else look for look in opened]
            return [seen for look in opened for seen in self._encode([look])]  # it may be one image's fault
        encoded = iter(zip(features.vectors, features.tokens, strict=True))
        return [next(encoded) if isinstance(look, np.ndarray) else look for look in opened]

    def _open(self, event: GeneratedImage) -> Seen | Pixels | Poison:
        try:
            if isinstance(event.content, EventFeatures):
                return self._accept(event.content)
            return self._images.read(event.content)
        except Poison as poison:
            return poison

    def _accept(self, features: EventFeatures) -> Seen:
        """Check that features can be compared with the index; the number of tokens may differ, not their size."""
        if features.encoder_id != self._encoder.encoder_id:
            raise Poison(
                Reason.WRONG_ENCODER,
                f"the event's features are of {features.encoder_id!r}, the index's of {self._encoder.encoder_id!r}",
            )
        vector_size, reducer = self._encoder.vector_size, self._reducer
        token_size = reducer.brought_token_size if reducer else self._encoder.tokens_shape[1]
        if features.vector.shape != (vector_size,) or features.tokens.shape[1:] != (token_size,):
            raise Poison(
                Reason.INVALID_FEATURES,
                f"the event has a vector of {features.vector.shape} and tokens of {features.tokens.shape}; "
                f"{self._encoder.encoder_id} makes ({vector_size},) and (n, {token_size})",
            )
        if self._mirror is not None:
            check_integers(features.vector, features.tokens, self._encoder)
            return features.vector.astype(np.int8), features.tokens.astype(np.int8)
        check_unit_length(features.vector)
        return features.vector, reducer.reduced(features.tokens) if reducer else features.tokens

    def _ranked(self, seen: Sequence[Seen]) -> list[Ranking]:
        """Steps 2 and 3. Where all that were recalled are left out, nobody is ranked."""
        if not seen:
            return []
        vectors = np.stack([vector for vector, _ in seen])
        recalled = self._recall.recall_looks(vectors, self._settings.candidates)
        places = [place for place, looks in enumerate(recalled) if len(looks.rows) + len(looks.mirrored_rows)]
        found = self._reranker.nearest(
            [seen[place][1] for place in places],
            [recalled[place].rows for place in places],
            max(self._settings.contributors, RANK if self._judge else 0),
            self._mirrored([seen[place] for place in places], [recalled[place] for place in places]),
        )
        ranked = dict(zip(places, found, strict=True))
        return [ranked.get(place, NOBODY) for place in range(len(seen))]

    def _mirrored(self, seen: Sequence[Seen], recalled: Sequence[LooksRecalled]) -> list[MirroredLook | None] | None:
        """Return the looks at mirrored images, where there are any."""
        if self._mirror is None or not seen:
            return None
        vectors, tokens = (np.stack(each) for each in zip(*seen, strict=True))
        looks = self._mirror.mirrored(Features(vectors, tokens)).tokens
        return [MirroredLook(each, found.mirrored_rows) for each, found in zip(looks, recalled, strict=True)]

    def _value(self, event: GeneratedImage, seen: Seen, ranking: Ranking, temperature: float) -> Attribution:
        """Steps 4 and 5; without evidence for anybody, the credit is withheld where that is the policy."""
        places = [self._place(row, candidate) for row, candidate in self._candidates(ranking)]
        valued = value_places(places, event.quality, temperature)
        if self._judge is not None:
            valued = replace(valued, evidence=(evidence := self._judge.judge(seen[1], ranking)))
            valued = withheld(valued) if self._judge.is_policy and not evidence.is_reliable else valued
        as_brought = isinstance(event.content, EventFeatures) or not self._digests_features
        if as_brought and self._reducer is None:
            return valued
        return replace(valued, features=features_digest(ImageFeatures(event.event_id, *seen)).hex())

    def _candidates(self, ranking: Ranking) -> list[tuple[int, Candidate]]:
        """Return the K nearest and their rows; it may have been ranked further for evidence."""
        first = slice(self._settings.contributors)
        rows = ranking.rows[first].tolist()
        distances, mirrored = ranking.distances[first].tolist(), ranking.mirrored[first].tolist()
        return [
            (row, Candidate(image.image_id, image.owner_id, image.weight, *measured))
            for row, image, *measured in zip(rows, self._table.images(rows), distances, mirrored, strict=True)
        ]

    def _place(self, row: int, candidate: Candidate) -> list[Candidate]:
        """Return who is paid for a place: the image itself, or of near copies those that the policy says."""
        rows = self._groups.members(row) if self._groups else ()
        if not len(rows):
            return self._ownership.apply([candidate])
        images = self._table.images(rows)
        group = images[int(np.argmin(rows))].image_id
        return paid_copies(
            candidate,
            [Candidate(each.image_id, each.owner_id, each.weight, candidate.distance, group=group) for each in images],
            self._ownership,
            only_earliest=self._settings.copies == "earliest",
            owners_max=max(1, PAID_OWNERS_MAX // self._settings.contributors),
        )
