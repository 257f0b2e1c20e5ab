"""Splits of a dataset, by the names of its files: training images are paid for, those held out are not."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Final

from gmv.errors import CorpusRefused
from gmv.passed_over import PassedOver, passed_over

ALL: Final = "all"
"""Chooses every file, whether it names a split or not."""

TRAIN: Final = "train"

_WORDS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("train", "training"), TRAIN),
    **dict.fromkeys(("validation", "valid", "val", "dev"), "validation"),
    **dict.fromkeys(("test", "testing", "eval", "evaluation"), "test"),
}
_SHARD = re.compile(r"(?P<split>\w+(?:\.\w+)*)-\d{5}-of-\d{5}")
_FOLDER = re.compile(r"split=(?P<split>.+)")


def split_of(file: PurePath) -> str | None:
    """Return the split that a file is of, by its name or a folder's; None where they say nothing.

    The rules are those of Hugging Face datasets: `<split>-00000-of-00001.parquet`, or a word such as train, valid or
    eval between marks that are no letters, the nearest to the file's name first.

    Args:
        file: relative to the corpus.
    """
    if shard := _SHARD.match(file.name):
        return _WORDS.get(shard["split"], shard["split"])
    for part in (file.stem, *reversed(file.parts[:-1])):
        if folder := _FOLDER.fullmatch(part):
            return folder["split"]
        if "=" not in part:
            for word in re.split(r"[\W\d_]+", part.lower()):
                if word in _WORDS:
                    return _WORDS[word]
    return None


def choose(
    files: Sequence[PurePath], wanted: Sequence[str]
) -> tuple[list[PurePath], tuple[str, ...], tuple[PassedOver, ...]]:
    """Return the files of the splits wanted, which splits these are, and what was passed over.

    Args:
        files: relative to the corpus, in order.
        wanted: names of splits, or `ALL`; empty: train where there is one, else the only one.

    Raises:
        CorpusRefused: there is no such split, or which is meant cannot be told.
    """
    by_split: dict[str | None, list[PurePath]] = defaultdict(list)
    for file in files:
        by_split[split_of(file)].append(file)
    named = sorted(split for split in by_split if split is not None)
    if ALL in wanted or (not wanted and not named):
        return list(files), tuple(named), ()
    found = "; ".join(f"{split}: {len(by_split[split]):,} files, such as {by_split[split][0]}" for split in named)
    if not wanted:
        wanted = _by_default(by_split, named, found)
    if missing := [split for split in wanted if split not in named]:
        raise CorpusRefused(f"there is no split {missing[0]!r}, but {found or 'none that files name'}")
    return (
        [file for file in files if split_of(file) in wanted],
        tuple(split for split in named if split in wanted),
        tuple(
            entry
            for split, others in by_split.items()
            if split not in wanted
            for entry in passed_over(f"split {split}" if split else "of no split", others)
        ),
    )


def _by_default(by_split: Mapping[str | None, Sequence[PurePath]], named: Sequence[str], found: str) -> list[str]:
    if None in by_split:
        raise CorpusRefused(
            f"some files name a split ({found}) and others none, such as {by_split[None][0]}; choose by --split, or "
            "take all by --split all"
        )
    if TRAIN in named:
        return [TRAIN]
    if len(named) == 1:
        return list(named)
    raise CorpusRefused(f"which split holds the training images? Choose by --split, or all by --split all ({found})")
