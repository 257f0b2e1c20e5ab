"""Options of `gmv index build` that choose a pretrained network, and say how its output is reduced."""

import re
from typing import TYPE_CHECKING, Annotated

import typer

from gmv.cli.options import refuse_given

if TYPE_CHECKING:
    from gmv.encoders.reduced import TokenReductionSettings
    from gmv.indexing.pretrained import Pretrained

_TOKEN_SIZE = 64

EncoderOption = Annotated[
    str | None,
    typer.Option(
        "--encoder",
        metavar="NAME|PATH",
        help="A pretrained network in place of the encoder that is learnt: efficientnet-lite0, an .onnx file with its "
        "recipe beside it, or a local folder of Hugging Face's (docs/encoders.md).",
    ),
]
VectorSizeOption = Annotated[
    int, typer.Option("--vector-size", metavar="D", min=1, max=4_096, help="A pretrained network's vector, at most.")
]
TokenSizeOption = Annotated[
    int | None,
    typer.Option(
        "--token-size",
        metavar="D",
        min=3,
        max=1_024,
        help="Numbers of a token, at most: of a pretrained network (default: 64), or of features (default: all).",
    ),
]
PoolTokensOption = Annotated[
    str | None,
    typer.Option(
        "--pool-tokens",
        metavar="N|RxC",
        help="Average the tokens of features to N in their order, or those of a square grid to R x C places.",
    ),
]
GridOption = Annotated[
    int, typer.Option("--grid", metavar="N", min=1, max=32, help="A pretrained network's tokens, N x N at most.")
]


def choose_pretrained(
    context: typer.Context, encoder: str | None, vector_size: int, token_size: int | None, grid: int
) -> "Pretrained | None":
    """Open the network that `--encoder` names; None where it names none.

    Raises:
        InvalidSettings: there is no such network, or an option is given that is of the other kind of encoder.
        PackagesMissing: a package that runs the network, or brings its weights, is not installed.
    """
    if encoder is None:
        refuse_given(context, ("vector_size", "grid"), "a pretrained network, and --encoder names none")
        return None
    refuse_given(context, ("working_size",), f"the encoder that is learnt, and --encoder names {encoder}")
    from gmv.encoders.pretrained.backbones import choose_backbone
    from gmv.encoders.pretrained.reduction import ReductionSettings
    from gmv.indexing.pretrained import Pretrained

    reduction = ReductionSettings(vector_size=vector_size, token_size=token_size or _TOKEN_SIZE, grid=grid)
    return Pretrained(choose_backbone(encoder), reduction)


def choose_reduction(
    context: typer.Context, encoder_id: str | None, encoder: str | None, pool_tokens: str | None, token_size: int | None
) -> "TokenReductionSettings":
    """Return how tokens of features are reduced.

    Raises:
        InvalidSettings: an option is given where the corpus brings no features, or says no number of tokens.
    """
    from gmv.encoders.reduced import TokenReductionSettings

    if encoder_id is None:
        refuse_given(context, ("pool_tokens",), "features, and --encoder-id names no encoder of any")
        if encoder is None:
            about = "a pretrained network or features, and neither --encoder nor --encoder-id is given"
            refuse_given(context, ("token_size",), about)
        return TokenReductionSettings()
    return TokenReductionSettings(_pool_of(pool_tokens), token_size)


def _pool_of(text: str | None) -> tuple[int, ...] | None:
    from gmv.errors import InvalidSettings

    if text is None:
        return None
    if (found := re.fullmatch(r"([1-9]\d{0,3})(?:x([1-9]\d{0,3}))?", text, re.ASCII)) is None:
        raise InvalidSettings(
            f"--pool-tokens {text} is neither a number of tokens, such as 64, nor a grid, such as 8x8"
        )
    return tuple(int(each) for each in found.groups() if each is not None)
