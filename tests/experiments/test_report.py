"""The report over results made by hand: every figure is there, with the command that made it, and nothing else runs."""

from dataclasses import asdict
from pathlib import Path

import numpy as np
import orjson
import pytest

from gmv.cli.experiment.app import report
from gmv.errors import ExperimentRefused
from gmv.experiments.ra1 import RA1, Nearness
from gmv.experiments.ra1 import GeneratorResult as RA1Generator
from gmv.experiments.ra1 import SeedResult as RA1Seed
from gmv.experiments.ra2 import POSTER, RA2, GeneratorResult, measure_values
from gmv.experiments.ra3 import RA3, Alignment
from gmv.experiments.ra3 import GeneratorResult as RA3Generator
from gmv.experiments.report.layout import interval
from gmv.experiments.report.sections import sections_in
from gmv.experiments.report.writing import as_markdown, as_page
from gmv.experiments.splits import Split
from gmv.experiments.statistics import Interval, Null

MEAN = Interval(0.5, None, None)
SPREAD = Interval(0.5, 0.25, 0.75)


def ra1() -> RA1:
    seed = RA1Seed(3, Nearness(0.1234, 0.2345, 0.678, 0.1, 4.56, 0.0005), (0.1, 0.2), (0.2, 0.3))
    null = Null(20, 1, 0.01, 0.18)
    generator = RA1Generator("diffusion", MEAN, MEAN, MEAN, MEAN, 0.0005, 596, 596, (seed,), null)
    return RA1("ra1", "gmv experiment ra1 --seeds 3", "<digits>", 1797, 1000, 2000, (0.0, 1.0), "id", (generator,))


def ra2() -> RA2:
    parts = {3: Split(np.array([0, 1]), np.array([2, 3]), np.array([4, 5]))}
    hits = measure_values("hits", None, {3: np.array([5.0, 7.0, 1.0, 3.0, 1.0, 3.0])}, parts)
    soft = measure_values("softmax", 1.0, {3: np.array([0.5, 0.7, 0.1, 0.3, 0.1, 0.3])}, parts)
    generator = GeneratorResult("biggan", 0.6, 0.2, 2.8, 0.1, 2, 2, (3,), (soft, hits), POSTER["biggan"])
    return RA2("ra2", "gmv experiment ra2 --seeds 3", "<digits>", 1797, 1000, 10, "id", (generator,))


def ra3() -> RA3:
    seed = Alignment(3, 0.912, 0.834, tuple(place / 10 for place in range(10)), 0.456, 1e-9)
    generator = RA3Generator("biggan", MEAN, MEAN, MEAN, 1e-9, (seed,))
    return RA3(
        "ra3", "gmv experiment ra3 --seeds 3", "<digits>", 1797, 1000, 10, 10, 0.045, "9 a|b", "id", (generator,)
    )


@pytest.fixture
def results(tmp_path: Path) -> Path:
    (tmp_path / "digits").mkdir()
    for result in (ra1(), ra2(), ra3()):
        (tmp_path / "digits" / f"{result.experiment}.json").write_bytes(orjson.dumps(asdict(result)))
    return tmp_path


FIGURES = (
    ("0.1234", "0.2345", "67.8%", "4.56"),  # RA1
    ("6.000000", "2.000000", "3.00", "1.632352", "17.92", "6.9e-68"),  # RA2 beside the poster
    ("91.2%", "0.834", "0.900", "0.456", "1e-09"),  # RA3
)


def test_every_figure_is_in_both_with_its_command(results):
    sections = sections_in(results)
    document, page = as_markdown(sections), as_page(sections)
    assert [section.command for section in sections] == [f"gmv experiment ra{n} --seeds 3" for n in (1, 2, 3)]
    for section, figures in zip(sections, FIGURES, strict=True):
        assert section.command in document
        assert section.command in page
        for figure in figures:
            assert f"| {figure} |" in document
            assert f"<td>{figure}</td>" in page
    assert "of 20 pairs of halves of unused images 1 differ at 0.01" in document


def test_a_page_asks_for_nothing_and_reads_no_markup(results):
    page = as_page(sections_in(results))
    assert "default-src 'none'" in page
    assert "<script" not in page
    assert "<digits>" not in page
    assert "&lt;digits&gt;" in page
    assert page.count('src="data:image/svg+xml;base64,') == 1


def test_the_same_results_give_the_same_bytes(results):
    assert as_page(sections_in(results)) == as_page(sections_in(results))


def test_an_interval_is_written_where_there_is_one():
    assert interval(asdict(SPREAD), ".2f") == "0.50 (0.25 to 0.75)"
    assert interval(asdict(MEAN), ".0%") == "50%"


def test_the_command_writes_both(results, capsys):
    report(results, results / "fidelity-of-mine.md", json=True)
    told = orjson.loads(capsys.readouterr().out)
    assert told["results"] == 3
    assert Path(told["page"]).read_text() == as_page(sections_in(results))
    assert Path(told["document"]) == results / "fidelity-of-mine.md"
    assert Path(told["document"]).read_text() == as_markdown(sections_in(results))


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"generators": 3}'])
def test_what_is_no_result_is_refused_by_its_name(results, content):
    (results / "digits" / "ra2.json").write_bytes(content)
    with pytest.raises(ExperimentRefused, match=r"ra2.json is no result of this version .*; run its experiment again"):
        sections_in(results)


def test_a_folder_without_results_is_refused(tmp_path):
    with pytest.raises(ExperimentRefused, match="holds no results; run gmv experiment ra2"):
        sections_in(tmp_path)
