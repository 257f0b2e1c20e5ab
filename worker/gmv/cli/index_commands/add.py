"""`gmv index add`: images added to an index, by its own encoder."""

import os
from pathlib import Path
from typing import Annotated

import typer

from gmv.cli.corpus_options import (
    ImageColumnOption,
    ImageIdColumnOption,
    OwnerIdColumnOption,
    RegisteredColumnOption,
    SplitOption,
    WeightColumnOption,
)
from gmv.cli.index_commands.options import CalibrateOption, OutOption, ParentArgument, open_parent
from gmv.cli.options import ConfigOption, JsonOption, load_settings


def add(
    index: ParentArgument,
    corpus: Annotated[
        list[Path], typer.Argument(metavar="CORPUS...", help="The images to add, in a form that a build reads.")
    ],
    out: OutOption,
    bad_share_max: Annotated[
        float,
        typer.Option("--bad-share-max", metavar="SHARE", min=0, max=1, help="Of added images that may be damaged."),
    ] = 0.01,
    image_id_column: ImageIdColumnOption = "image_id",
    owner_id_column: OwnerIdColumnOption = "owner_id",
    image_column: ImageColumnOption = "image",
    weight_column: WeightColumnOption = "weight",
    registered_column: RegisteredColumnOption = "registered",
    split: SplitOption = None,
    calibrate: CalibrateOption = False,
    threads: Annotated[
        int, typer.Option("--threads", metavar="N", min=1, help="That encode. Default: all cores.")
    ] = os.cpu_count() or 1,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Make an index of another and of images that it lacks: these alone are encoded, by the encoder that is there.

    The other index stays as it is. How many candidates are enough, and the temperature, are kept from it.
    Interrupted, it goes on from there when it is run again.
    """
    settings = load_settings(config)
    from gmv.threads import limit_threads

    limit_threads()
    from gmv.cli.output import progress, render, tell_who_watches
    from gmv.cli.shown_index import shown, view
    from gmv.corpus.open import open_corpus
    from gmv.corpus.parquet_files import Columns
    from gmv.corpus.reading import Reading
    from gmv.encoders.precomputed import Precomputed
    from gmv.imaging.decode import ImageLimits
    from gmv.index.manifest import index_id_of
    from gmv.indexing.growing.add_remove import AddOptions, add_images

    read: list[Reading] = []

    def on_reading(reading: Reading) -> None:
        read.append(reading)
        for sentence in reading.sentences():
            tell_who_watches(sentence)

    parent = open_parent(index)
    columns = Columns(image_id_column, owner_id_column, image_column, weight_column, registered=registered_column)
    encoder_id = parent.encoder.encoder_id if isinstance(parent.encoder, Precomputed) else None
    limits = ImageLimits(settings.images.bytes_max, settings.images.pixels_max)
    manifest = add_images(
        parent,
        open_corpus(corpus, settings.images.bytes_max, columns, encoder_id, split or ()),
        out,
        AddOptions(limits, bad_share_max, threads, calibrate),
        progress,
        on_reading,
    )
    render(shown(out, manifest, index_id_of(manifest.to_bytes()), read[0]), json, view)
