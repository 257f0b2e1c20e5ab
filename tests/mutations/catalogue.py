"""All mutations. A new list is one more import here."""

from . import features, ledger, recall, rerank, stream, valuation

MUTATIONS = [
    *ledger.MUTATIONS,
    *stream.MUTATIONS,
    *valuation.MUTATIONS,
    *rerank.MUTATIONS,
    *recall.MUTATIONS,
    *features.MUTATIONS,
]
