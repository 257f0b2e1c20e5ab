"""What decorators of an encoder share: they have its names and sizes."""

from typing_extensions import override

from gmv.encoders.port import Encoder


class AroundEncoder(Encoder):
    """All of an `Encoder` but `encode`, from another."""

    def __init__(self, inner: Encoder) -> None:
        self._inner = inner

    @property
    @override
    def encoder_id(self) -> str:
        return self._inner.encoder_id

    @property
    @override
    def vector_size(self) -> int:
        return self._inner.vector_size

    @property
    @override
    def tokens_shape(self) -> tuple[int, int]:
        return self._inner.tokens_shape
