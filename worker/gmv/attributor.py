"""The method, on one run of events: features, recall, exact re-rank, utility, credit (GMValuator, arXiv:2304.10701).

An outcome depends on its own event, the index and the settings alone: not on the batch, its order, or the clock.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from gmv.corpus.features import features_digest
from gmv.corpus.port import ImageFeatures
from gmv.encoders.port import Encoder, check_unit_length
from gmv.errors import Poison, Reason
from gmv.events.model import EventFeatures, GeneratedImage
from gmv.events.port import ImageSource, Pixels
from gmv.index.port import ImagesTable, Recall
from gmv.settings import Method
from gmv.valuation.attribution import value_contributors
from gmv.valuation.owners import Ownership
from gmv.valuation.ranking import Ranking, Reranker
from gmv.valuation.types import Attribution, Candidate

Seen = tuple[NDArray[np.float32], NDArray[np.float32]]
"""One image's features: its vector, [D], and its tokens, [n, d]."""


NOBODY = Ranking(np.empty(0, np.int64), np.empty(0), None)
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
        *,
        digests_features: bool = False,
    ) -> None:
        """Put the method together.

        Args:
            images: where images are read.
            encoder: of the index.
            recall: of the index.
            reranker: of the index.
            table: of the index.
            settings: what decides credits.
            ownership: what owners decided.
            digests_features: whether an attribution names the features of an image that was encoded here: of an encoder
                that sees others on another machine.
        """
        self._images = images
        self._encoder = encoder
        self._recall = recall
        self._reranker = reranker
        self._table = table
        self._settings = settings
        self._ownership = ownership
        self._digests_features = digests_features

    def attribute(self, events: Sequence[GeneratedImage]) -> list[Attribution | Poison]:
        """Return one outcome per event, in order: what its contributors are credited, or why there are none."""
        features = self._features(events)
        poison = {place: found for place, found in enumerate(features) if isinstance(found, Poison)}
        seen = {place: found for place, found in enumerate(features) if not isinstance(found, Poison)}
        recalled = self._recall_rows([vector for vector, _ in seen.values()])
        ranked = self._ranked([tokens for _, tokens in seen.values()], recalled)
        valued = {
            place: self._value(events[place], seen[place], ranking) for place, ranking in zip(seen, ranked, strict=True)
        }
        outcomes: dict[int, Attribution | Poison] = {**poison, **valued}
        return [outcomes[place] for place in range(len(events))]

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
        vector_size, token_size = self._encoder.vector_size, self._encoder.tokens_shape[1]
        if features.vector.shape != (vector_size,) or features.tokens.shape[1:] != (token_size,):
            raise Poison(
                Reason.INVALID_FEATURES,
                f"the event has a vector of {features.vector.shape} and tokens of {features.tokens.shape}; "
                f"{self._encoder.encoder_id} makes ({vector_size},) and (n, {token_size})",
            )
        check_unit_length(features.vector)
        return features.vector, features.tokens

    def _recall_rows(self, vectors: Sequence[NDArray[np.float32]]) -> list[NDArray[np.int64]]:
        """Step 2."""
        return self._recall.recall(np.stack(vectors), self._settings.candidates) if vectors else []

    def _ranked(self, queries: Sequence[NDArray[np.float32]], recalled: Sequence[NDArray[np.int64]]) -> list[Ranking]:
        """Step 3. Where all that were recalled are left out, nobody is ranked."""
        places = [place for place, rows in enumerate(recalled) if len(rows)]
        found = self._reranker.nearest(
            [queries[place] for place in places], [recalled[place] for place in places], self._settings.contributors
        )
        ranked = dict(zip(places, found, strict=True))
        return [ranked.get(place, NOBODY) for place in range(len(recalled))]

    def _value(self, event: GeneratedImage, seen: Seen, ranking: Ranking) -> Attribution:
        """Steps 4 and 5."""
        images = self._table.images(ranking.rows)
        candidates = [
            Candidate(image.image_id, image.owner_id, image.weight, distance)
            for image, distance in zip(images, ranking.distances.tolist(), strict=True)
        ]
        valued = value_contributors(self._ownership.apply(candidates), event.quality, self._settings.temperature)
        if not self._digests_features or isinstance(event.content, EventFeatures):
            return valued
        return replace(valued, features=features_digest(ImageFeatures(event.event_id, *seen)).hex())
