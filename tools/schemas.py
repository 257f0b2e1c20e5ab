"""JSON Schemas of what others write to gmv and read from it, and an AsyncAPI document of the topics they go through.

They are generated from the models that gmv itself uses. `python -m tools.schemas` writes them to `schemas/`; with
`--check` it only says which differ.
"""

from pathlib import Path
from typing import Annotated, Any, Final

import orjson
import typer
from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from gmv.events.wire import WireData, WireEvent
from gmv.operations.correction_file import WireCorrection
from gmv.valuation.receipt import PublishedCorrection, PublishedReceipt
from tools.asyncapi import document

SUFFIX: Final = ".schema.json"
ASYNCAPI: Final = "asyncapi.json"

_MODELS: Final[dict[str, type[BaseModel] | type[PublishedReceipt] | type[PublishedCorrection]]] = {
    "generated-image-event": WireEvent,
    "generated-image-data": WireData,
    "receipt": PublishedReceipt,
    "correction": WireCorrection,
    "correction-receipt": PublishedCorrection,
}


def json_schemas() -> dict[str, dict[str, Any]]:
    """Return every schema (draft 2020-12) by name."""
    return {
        name: {
            "$schema": GenerateJsonSchema.schema_dialect,
            "$id": f"urn:gmv:schema:{name}:v1",
            **TypeAdapter(model).json_schema(),
        }
        for name, model in _MODELS.items()
    }


def differing(folder: Path) -> dict[Path, bytes]:
    """Return the files whose contents are not those of the models, with what they should hold."""
    options = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    documents = {f"{name}{SUFFIX}": schema for name, schema in json_schemas().items()} | {ASYNCAPI: document()}
    wanted = {folder / name: orjson.dumps(content, option=options) for name, content in documents.items()}
    return {path: content for path, content in wanted.items() if not path.is_file() or path.read_bytes() != content}


def main(
    folder: Annotated[Path, typer.Argument(help="Where the schemas are.")] = Path("schemas"),
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit with 1 if a schema differs.")] = False,
) -> None:
    """Write the JSON Schemas of events and receipts, and the AsyncAPI document."""
    changed = differing(folder)
    for path, content in changed.items():
        typer.echo(f"{path} {'differs from the models; run python -m tools.schemas' if check else 'written'}")
        if not check:
            path.write_bytes(content)
    if check and changed:
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
