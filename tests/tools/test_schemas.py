from pathlib import Path
from typing import Any

import orjson
import pytest
import typer
from hypothesis import given
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from gmv.errors import Poison
from gmv.events.cloudevents import decode
from gmv.events.encoding import binary, structured
from gmv.events.model import GeneratedImage
from gmv.valuation.attribution import value_contributors
from gmv.valuation.receipt import receipt, seal
from gmv.valuation.types import Candidate
from tests.events.samples import EVENTS, envelope
from tools import schemas

FOLDER = Path(__file__).parents[2] / "schemas"
VALIDATORS = {name: Draft202012Validator(schema) for name, schema in schemas.json_schemas().items()}
EVENT = VALIDATORS["generated-image-event"]
FEATURES = {"encoder": "e", "vector": "AACAPw==", "tokens": "AACAPw==", "shape": [1, 1]}
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def is_decoded(event: dict[str, Any]) -> bool:
    try:
        decode(orjson.dumps(event))
    except Poison:
        return False
    return True


def test_the_schemas_in_the_folder_are_those_of_the_models() -> None:
    assert schemas.differing(FOLDER) == {}, "run `python -m tools.schemas`"
    generated = {schemas.ASYNCAPI, *(f"{name}{schemas.SUFFIX}" for name in VALIDATORS)}
    assert {path.name for path in FOLDER.glob("*.json")} == generated


def test_check_tells_drift_and_writing_ends_it(tmp_path: Path) -> None:
    app = typer.Typer()
    app.command()(schemas.main)
    run = CliRunner().invoke

    told = run(app, [str(tmp_path), "--check"])
    assert told.exit_code == 1
    assert "receipt.schema.json differs" in told.output
    assert not list(tmp_path.iterdir())

    assert run(app, [str(tmp_path)]).exit_code == 0
    assert run(app, [str(tmp_path), "--check"]).exit_code == 0


@pytest.mark.parametrize("name", VALIDATORS)
def test_every_schema_is_one(name: str) -> None:
    Draft202012Validator.check_schema(VALIDATORS[name].schema)


@given(event=EVENTS)
def test_events_that_gmv_writes_are_valid(event: GeneratedImage) -> None:
    EVENT.validate(orjson.loads(structured(event)))
    VALIDATORS["generated-image-data"].validate(orjson.loads(binary(event).value))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"traceparent": None},
        {"subject": "cat", "unknown": [1]},
        {"data": {"image": {"bytes": "YWJj"}, "quality": 0, "metadata": {"a": {}}, "unknown": 1}},
        {"data": {"image": {"bytes": "YWJj", "uri": None}, "features": None, "quality": None}},
        {"data": {"image": {"bytes": "YWJj"}, "metadata": ["of", "any", "kind"]}},
        {"data": ..., "data_base64": "eyJpbWFnZSI6eyJ1cmkiOiJhOmIifX0="},
        {"data": {"features": FEATURES}},
        {"data": {"features": FEATURES | {"dtype": "float32"}, "image": None, "model": None}},
    ],
)
def test_what_decode_accepts_is_valid(changes: dict[str, Any]) -> None:
    event = envelope(**changes)

    assert is_decoded(event)
    EVENT.validate(event)


@pytest.mark.parametrize(
    "changes",
    [
        {"id": ...},
        {"id": ""},
        {"id": 1},
        {"id": "a\tb"},
        {"id": "x" * 1_025},
        {"source": ...},
        {"specversion": "0.3"},
        {"type": "other"},
        {"data": ...},
        {"data": {}},
        {"data": {"image": {}}},
        {"data": {"image": {"uri": "a:b", "bytes": "YWJj"}}},
        {"data": {"image": {"uri": "a:b"}, "features": FEATURES}},
        {"data": {"image": {"uri": "a:b"}, "quality": "1"}},
        {"data": {"image": {"uri": "a:b"}, "quality": 1.5}},
        {"data_base64": 7, "data": ...},
        {"data_base64": "e30="},
        {"data": {"features": FEATURES | {"shape": [1]}}},
        {"data": {"features": FEATURES | {"shape": [1, 0]}}},
        {"data": {"features": FEATURES | {"dtype": "int8"}}},
        {"data": {"features": {"encoder": "e"}}},
    ],
)
def test_what_a_schema_can_tell_is_rejected_by_both(changes: dict[str, Any]) -> None:
    event = envelope(**changes)

    assert not is_decoded(event)
    assert not EVENT.is_valid(event)


@pytest.mark.parametrize("traceparent", [None, TRACE])
def test_receipts_that_gmv_writes_are_valid(traceparent: str | None) -> None:
    candidates = [Candidate("a", "ada", 1.0, 0.0), Candidate("b", "bob", 0.5, 0.25)]
    entry = receipt(
        source="/generator",
        event_id="event-1",
        topic="images",
        partition=3,
        offset=17,
        previous_batch="",
        index_id="index",
        settings_digest="settings",
        attribution=value_contributors(candidates, 0.5, 1.0),
        traceparent=traceparent,
    )

    _, sealed = seal([entry])
    published = orjson.loads(sealed[0])

    VALIDATORS["receipt"].validate(published)
    for name in set(published) - {"traceparent"}:
        assert not VALIDATORS["receipt"].is_valid({key: value for key, value in published.items() if key != name})


@pytest.mark.parametrize("block", [0, 1])
def test_the_examples_of_the_readme_are_events(block: int) -> None:
    blocks = [part.split("```")[0] for part in (FOLDER / "README.md").read_text().split("```json\n")[1:]]
    told = orjson.loads(blocks[block])
    headers = [(name, value.encode()) for name, value in told.get("headers", {}).items()]

    assert decode(orjson.dumps(told.get("value", told)), headers).model == "my-model-2"
