"""Stored results as sections of a report: what was asked, by which command, and the tables that answer."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Final

import orjson

from gmv.errors import ExperimentRefused
from gmv.experiments.report.datamodels import lds_section
from gmv.experiments.report.fidelity import fidelity_section
from gmv.experiments.report.known_truth import truth_section
from gmv.experiments.report.layout import Result, Section, Table, interval
from gmv.experiments.report.owners import owners_section
from gmv.experiments.report.pictures import distances_picture
from gmv.experiments.report.quality import quality_section


def sections_in(folder: Path) -> list[Section]:
    """Return the sections of all results in a folder of experiments, by data set and in the order of `EXPERIMENTS`.

    Raises:
        ExperimentRefused: there is no result, or one cannot be read.
    """
    files = [
        path
        for dataset in sorted(path for path in folder.glob("*") if path.is_dir())
        for name in EXPERIMENTS
        if (path := dataset / f"{name}.json").is_file()
    ]
    if not files:
        raise ExperimentRefused(f"{folder} holds no results; run gmv experiment ra2 --out {folder} first")
    return [_read(path) for path in files]


def section_of(result: object) -> Section:
    """Return the section of a result that was not stored yet, a dataclass."""
    stored: Result = orjson.loads(orjson.dumps(result))
    return EXPERIMENTS[stored["experiment"]](stored)


def _read(path: Path) -> Section:
    try:
        return EXPERIMENTS[path.stem](orjson.loads(path.read_bytes()))
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise ExperimentRefused(
            f"{path} is no result of this version ({type(error).__name__}: {error}); run its experiment again"
        ) from error


def _setting(result: Result) -> str:
    by = f"generator, K = {result['contributors']}" if "contributors" in result else "generator"
    return f"{result['images']:,} images of {result['dataset']}, {result['drawn']:,} drawn by each {by}."


def ra1_section(result: Result) -> Section:
    """RA1: nearest distances by generator and seed, and their distributions."""
    rows = tuple(
        (
            generator["generator"],
            str(seed["seed"]),
            f"{seed['used']['v1_mean']:.4f}",
            f"{seed['used']['v2_mean']:.4f}",
            f"{seed['used']['nearer_to_v1']:.1%}",
            f"{seed['used']['z']:.2f}",
            f"{seed['used']['p']:.2g}",
        )
        for generator in result["generators"]
        for seed in generator["seeds"]
    )
    columns = ("generator", "seed", "W1 to used", "W1 to unused", "nearer to used", "z", "p")
    text = (
        _setting(result),
        f"p is of {result['permutations']:,} permutations.",
        *map(_null_text, result["generators"]),
    )
    return Section(
        f"RA1 on {result['dataset']}: drawn images are nearer to what was used",
        result["command"],
        text,
        (Table(columns, rows),),
        partial(distances_picture, result),
    )


def ra2_section(result: Result) -> Section:
    """RA2: Table 1 of the poster, by each measure and seed."""
    tables = [
        Table(
            ("generator", "values", "seed", "v1", "v2", "v1 / v2", "t", "p", "d", "n1", "n2"),
            tuple(
                row
                for generator in result["generators"]
                for measure in generator["measures"]
                for row in _table_1(generator, measure)
            ),
        )
    ]
    text = [_setting(result)]
    for generator in result["generators"]:
        first = generator["measures"][0]
        text.append(f"{generator['generator']}: v1 earns {interval(first['v1_share'], '.1%')}, by chance a third.")
        text.append(_null_text(first | {"generator": generator["generator"]}))
    return Section(
        f"RA2 on {result['dataset']}: used images are worth more", result["command"], tuple(text), tuple(tables)
    )


def _table_1(generator: Result, measure: Result) -> list[tuple[str, ...]]:
    name, tau = generator["generator"], measure["temperature"]
    what = "hits" if tau is None else f"tau {tau:.3g}"
    rows: list[tuple[str, ...]] = [
        (
            name,
            what,
            str(seed["seed"]),
            f"{used['v1_mean']:.6f}",
            f"{used['v2_mean']:.6f}",
            "" if used["ratio"] is None else f"{used['ratio']:.2f}",
            "" if used["t"] is None else f"{used['t']:.2f}",
            f"{used['p']:.2g}",
            "" if used["effect"] is None else f"{used['effect']:.2f}",
            str(used["n1"]),
            str(used["n2"]),
        )
        for seed in measure["seeds"]
        for used in [seed["used"]]
    ]
    if tau is None and (poster := generator["poster"]):
        figures = (
            f"{poster['v1_mean']:.6f}",
            f"{poster['v2_mean']:.6f}",
            f"{poster['v1_mean'] / poster['v2_mean']:.2f}",
        )
        rows.append((name, "the poster", "", *figures, f"{poster['t']:.2f}", f"{poster['p']:.2g}", "", "", ""))
    return rows


def ra3_section(result: Result) -> Section:
    """RA3: value and meaning."""
    rows = tuple(
        (
            generator["generator"],
            str(seed["seed"]),
            f"{seed['class_share']:.1%}",
            f"{seed['class_auc']:.3f}",
            f"{seed['decile_alignment'][0]:.3f}",
            f"{seed['decile_alignment'][-1]:.3f}",
            f"{seed['rank_correlation']:.3f}",
            f"{seed['p']:.2g}",
        )
        for generator in result["generators"]
        for seed in generator["seeds"]
    )
    columns = (
        "generator",
        "seed",
        "credit to the class",
        "AUC of the class",
        "lowest tenth",
        "highest tenth",
        "rho",
        "p",
    )
    text = (
        _setting(result),
        f"At tau {result['temperature']:.3g}; by chance {1 / result['classes']:.1%} of a credit goes to the class.",
        f"The tenths are of training images by value, their figures the alignment in {result['features']}.",
    )
    return Section(
        f"RA3 on {result['dataset']}: what is worth more means the same",
        result["command"],
        text,
        (Table(columns, rows),),
    )


EXPERIMENTS: Final[Mapping[str, Callable[[Result], Section]]] = {
    "ra1": ra1_section,
    "ra2": ra2_section,
    "ra3": ra3_section,
    "quality": quality_section,
    "fidelity": fidelity_section,
    "lds": lds_section,
    "truth": truth_section,
    "owners": owners_section,
}


def _null_text(generator: Result) -> str:
    null = generator["null"]
    return (
        f"{generator['generator']}, null control: of {null['repetitions']} pairs of halves of unused images "
        f"{null['rejections']} differ at {null['level']:g}."
    )
