"""What decorators of an encoder share: they have its names and sizes."""

from gmv.encoders.port import Encoder


class AroundEncoder:
    """All of an `Encoder` but `encode`, from another."""

    def __init__(self, inner: Encoder) -> None:
        self._inner = inner

    @property
    def encoder_id(self) -> str:
        """See `Encoder`."""
        return self._inner.encoder_id

    @property
    def vector_size(self) -> int:
        """See `Encoder`."""
        return self._inner.vector_size

    @property
    def tokens_shape(self) -> tuple[int, int]:
        """See `Encoder`."""
        return self._inner.tokens_shape
