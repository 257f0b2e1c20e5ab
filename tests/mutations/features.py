"""Protections of features that users bring: reduced alike, and of a scale that is held."""

from .mutation import Mutation, pytest

_FEATURES = "tests/cli/test_index_features.py"

MUTATIONS = [
    Mutation(
        "Tokens of an event are reduced as those of the index were",
        "attributor.py",
        "reducer.reduced(features.tokens) if reducer else features.tokens",
        "features.tokens",
        pytest(_FEATURES, "-k", "reduced_as_the_corpus_was", seconds_max=400),
    ),
    Mutation(
        "Receipts of reduced features hold their digest",
        "attributor.py",
        "        if as_brought and self._reducer is None:",
        "        if as_brought:",
        pytest(_FEATURES, "-k", "reduced_as_the_corpus_was", seconds_max=400),
    ),
    Mutation(
        "Reduced tokens are what float16 holds, so an exact copy is at distance 0",
        "encoders/token_reduction.py",
        "reduced.astype(np.float16).astype(np.float32)",
        "reduced",
        pytest(_FEATURES, "-k", "reduced_as_the_corpus_was", seconds_max=400),
    ),
    Mutation(
        "Tokens of a scale that float16 does not hold are refused",
        "indexing/brought_features.py",
        "if measured.rounding <= _ROUNDING_MAX:",
        "if True:",
        pytest(_FEATURES, "-k", "does_not_hold", seconds_max=400),
    ),
    Mutation(
        "A projection of tokens is not whitened, so that W1 stays as it was",
        "encoders/token_reduction.py",
        "fit_projection(averaged, size, NO_WHITENING)",
        "fit_projection(averaged, size, -0.25)",
        pytest(_FEATURES, "-k", "keeps_distances", seconds_max=400),
    ),
]
