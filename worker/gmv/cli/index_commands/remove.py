"""`gmv index remove`: an index without some of its images."""

from pathlib import Path
from typing import Annotated

import typer

from gmv.cli.index_commands.options import CalibrateOption, OutOption, ParentArgument, open_parent
from gmv.cli.options import JsonOption
from gmv.errors import InvalidSettings


def remove(
    index: ParentArgument,
    out: OutOption,
    images: Annotated[
        Path | None, typer.Option("--images", metavar="FILE", help="Ids of images to leave out, one a line.")
    ] = None,
    owner: Annotated[
        list[str] | None,
        typer.Option("--owner", metavar="NAME", help="Leave out all images of this owner; may be given again."),
    ] = None,
    calibrate: CalibrateOption = False,
    json: JsonOption = False,
) -> None:
    """Make an index of another, without some of its images; the other stays as it is.

    How many candidates are enough, and the temperature, are kept from it. In an index of floats, faiss's file keeps
    what was removed, though it is never found again: build anew to have it gone.
    """
    from gmv.threads import limit_threads

    limit_threads()
    from gmv.cli.output import progress, render
    from gmv.cli.shown_index import shown, view
    from gmv.index.manifest import index_id_of
    from gmv.indexing.growing.add_remove import remove_images, rows_to_remove

    named = _lines(images) if images else []
    parent = open_parent(index)
    rows = rows_to_remove(parent, named, owner or [])
    manifest = remove_images(parent, rows, out, calibrate, progress)
    render(shown(out, manifest, index_id_of(manifest.to_bytes())), json, view)


def _lines(path: Path) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise InvalidSettings(f"{path}: {error.strerror}; give a file of image ids, one a line") from error
    except UnicodeDecodeError as error:
        raise InvalidSettings(f"{path} is not UTF-8 ({error}); give a file of image ids, one a line") from None
    return [line for line in lines if line]
