"""Options of `gmv index build` that choose a pretrained network, and say how its output is reduced."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from gmv.indexing.pretrained import Pretrained

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
    int, typer.Option("--token-size", metavar="D", min=3, max=1_024, help="A pretrained network's token, at most.")
]
GridOption = Annotated[
    int, typer.Option("--grid", metavar="N", min=1, max=32, help="A pretrained network's tokens, N x N at most.")
]


def choose_pretrained(
    context: typer.Context, encoder: str | None, vector_size: int, token_size: int, grid: int
) -> "Pretrained | None":
    """Open the network that `--encoder` names; None where it names none.

    Raises:
        InvalidSettings: there is no such network, or an option is given that is of the other kind of encoder.
        PackagesMissing: a package that runs the network, or brings its weights, is not installed.
    """
    if encoder is None:
        _refuse(context, ("vector_size", "token_size", "grid"), "a pretrained network, and --encoder names none")
        return None
    _refuse(context, ("working_size",), f"the encoder that is learnt, and --encoder names {encoder}")
    from gmv.encoders.pretrained.backbones import choose_backbone
    from gmv.encoders.pretrained.reduction import ReductionSettings
    from gmv.indexing.pretrained import Pretrained

    reduction = ReductionSettings(vector_size=vector_size, token_size=token_size, grid=grid)
    return Pretrained(choose_backbone(encoder), reduction)


def _refuse(context: typer.Context, names: tuple[str, ...], about: str) -> None:
    """See that none of the options was given on the command line."""
    from gmv.errors import InvalidSettings

    for name in names:
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            flag = f"--{name.replace('_', '-')}"
            raise InvalidSettings(f"{flag} is about {about}; leave {flag} out")
