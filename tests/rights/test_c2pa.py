"""C2PA manifests, made by the library itself with a key of the tests, and read in a process of its own."""

import sys
import time
from typing import Any

import pytest

from gmv.rights.c2pa_reader import C2paReader, C2paUnread, has_manifest
from gmv.rights.scanning import rights_of
from gmv.rights.training_mining import said_in_assertions
from tests.rights.files import image_file, mining, signed

NOT_ALLOWED = {"cawg.ai_generative_training": {"use": "notAllowed"}, "cawg.ai_inference": {"use": "allowed"}}


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("label", ["cawg.training-mining", "c2pa.training-mining"])
def test_a_signed_assertion_opts_out(kind: str, label: str) -> None:
    prefix = label.partition(".")[0]
    file = signed(kind, label, {f"{prefix}.ai_training": {"use": "notAllowed"}})
    assert has_manifest(file)
    assert not has_manifest(image_file(kind))
    with C2paReader() as reader:
        found = rights_of(file, reader)
    assert found.opts_out
    assert found.unread == ()
    assert [each.sentence() for each in found.said] == [f"C2PA {label}: {prefix}.ai_training not allowed"]


def test_any_opt_out_counts_whatever_else_is_allowed() -> None:
    with C2paReader() as reader:
        allowed = rights_of(signed("JPEG", "cawg.training-mining", {"cawg.ai_training": {"use": "allowed"}}), reader)
        both = rights_of(
            signed("JPEG", "cawg.training-mining", NOT_ALLOWED, image_file("JPEG", mining("DMI-ALLOWED"))), reader
        )
        other = rights_of(
            signed(
                "JPEG",
                "cawg.training-mining",
                {"cawg.ai_training": {"use": "allowed"}},
                image_file("JPEG", mining("DMI-PROHIBITED")),
            ),
            reader,
        )
    assert not allowed.opts_out
    assert both.opts_out
    assert len(both.said) == 3
    assert other.opts_out


def test_an_altered_file_is_still_told_of_with_its_signature() -> None:
    file = bytearray(signed("PNG", "cawg.training-mining", NOT_ALLOWED))
    end = file.rindex(b"IDAT")
    file[end + 10] ^= 1
    with C2paReader() as reader:
        found = rights_of(bytes(file), reader)
    assert found.opts_out
    assert "signature not valid" in found.said[0].what


@pytest.mark.parametrize("cut", [200, 3_000, 20_000])
def test_a_damaged_manifest_is_named_and_the_next_file_is_read(cut: int) -> None:
    good = signed("JPEG", "cawg.training-mining", NOT_ALLOWED)
    with C2paReader() as reader:
        damaged = rights_of(good[:cut], reader)
        assert rights_of(good, reader).opts_out
    assert has_manifest(good[:cut])
    assert damaged.unread
    assert not damaged.said


def test_without_the_library_each_manifest_is_named_as_unread() -> None:
    found = rights_of(signed("JPEG", "cawg.training-mining", NOT_ALLOWED), None)
    assert found.unread == ("the C2PA manifest was not read: pip install 'gmv[rights]'",)
    assert rights_of(image_file("JPEG"), None).unread == ()


@pytest.mark.parametrize(
    ("program", "why"),
    [
        ("import time; time.sleep(60)", "took more than 0.5 s"),
        ("import sys; sys.stdin.buffer.readline(); sys.exit(1)", "ended the process"),
        ("bytearray(2**50)", "ended the process"),
        ("import sys; sys.stdin.buffer.readline(); sys.stdout.write('half'); sys.stdout.flush()", "ended the process"),
    ],
)
def test_a_process_that_hangs_or_dies_costs_one_image(program: str, why: str) -> None:
    started = time.monotonic()
    with C2paReader([sys.executable, "-c", program], seconds_max=0.5 if "took" in why else 30) as reader:
        for _ in range(2):
            with pytest.raises(C2paUnread, match=why):
                reader.assertions("image/png", image_file("PNG"))
    assert time.monotonic() - started < 30


@pytest.mark.parametrize(
    "assertions",
    [
        [],
        [None, 3, "text", []],
        [{"label": "c2pa.actions", "data": {"entries": {"x": {"use": "notAllowed"}}}}],
        [{"label": "cawg.training-mining"}, {"label": "cawg.training-mining", "data": {"entries": [1]}}],
        [{"label": "cawg.training-mining", "data": {"entries": {"cawg.ai_inference": {"use": "notAllowed"}}}}],
        [{"label": "cawg.training-mining", "data": {"entries": {"cawg.ai_training": "notAllowed"}}}],
        [{"label": "cawg.training-mining", "data": {"entries": {"cawg.ai_training": {"use": ["notAllowed"]}}}}],
    ],
)
def test_what_is_no_such_assertion_opts_nobody_out(assertions: list[Any]) -> None:
    assert not any(each.opts_out for each in said_in_assertions(assertions))


@pytest.mark.parametrize("label", ["cawg.training-mining", "cawg.training-mining__2", "c2pa.training-mining.v2"])
@pytest.mark.parametrize("name", ["cawg.data_mining", "c2pa.ai_training", "cawg.ai_generative_training"])
def test_conditions_are_an_opt_out_and_told(label: str, name: str) -> None:
    entries = {name: {"use": "constrained", "constraint_info": "ask\nus " + "x" * 999}}
    (said,) = said_in_assertions([{"label": label, "data": {"entries": entries}}])
    assert said.opts_out
    assert said.what.startswith(f"{name} constrained (ask us x")
    assert len(said.what) < 300
