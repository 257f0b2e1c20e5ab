import numpy as np
import pytest

from gmv.encoders.integers import check_integers
from gmv.errors import Poison, Reason
from tests.encoders.exact.descriptors import ENCODER, PICTURES

SEEN = ENCODER.encode(PICTURES[:1])
VECTOR, TOKENS = SEEN.vectors[0].astype(np.float32), SEEN.tokens[0].astype(np.float32)


def test_an_exact_encoders_own_features_are_accepted() -> None:
    check_integers(VECTOR, TOKENS, ENCODER)


@pytest.mark.parametrize(
    ("vector", "tokens", "complaint"),
    [
        (VECTOR + 0.5, TOKENS, "the vector should hold integers"),
        (VECTOR, TOKENS / 64, "the tokens should hold integers"),
        (np.full_like(VECTOR, 128), TOKENS, "from -127 to 127"),
        (VECTOR, np.full_like(TOKENS, -128), "from -127 to 127"),
        (VECTOR, TOKENS[:49], "has 49 tokens"),
    ],
)
def test_others_are_poison(vector: np.ndarray, tokens: np.ndarray, complaint: str) -> None:
    with pytest.raises(Poison, match=complaint) as refused:
        check_integers(vector, tokens, ENCODER)
    assert refused.value.reason is Reason.INVALID_FEATURES
