"""The index that a worker credits by. Another takes its place between two runs, once it was opened beside the stream.

Its path is looked at every second: a link that names another folder, or a folder that another has replaced, is opened,
verified and tried by a thread of its own. Only then do runs that begin credit by it, and those in flight end by the one
they began with. What cannot be used is refused with a log line and a metric, and the index in use stays.
"""

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from typing_extensions import override

from gmv.errors import Refusal
from gmv.index.manifest import MANIFEST, index_id_of
from gmv.monitoring.catalogue import Metrics
from gmv.monitoring.index_change import IndexChange
from gmv.monitoring.reachability import Logger
from gmv.stream.stamped import StampedValuer, Valuers

LOOK_SECONDS: Final = 1.0

FileState = tuple[int, int, int, int]
"""Device, inode, size and time of change: another file, or an altered one, has another."""


class Published(NamedTuple):
    """What is under the names that operators publish by.

    Attributes:
        folder: that the index's path leads to.
        index_id: None where there is no manifest.
        manifest: its state.
        owners: that of the owners file; None where there is none.
    """

    folder: str
    index_id: str | None
    manifest: FileState | None
    owners: FileState | None


def published(index: Path, owners: Path | None) -> Published:
    """Look at what is there now."""
    folder = os.path.realpath(index)
    manifest = Path(folder) / MANIFEST
    try:
        index_id = index_id_of(manifest.read_bytes())
    except OSError:
        index_id = None
    return Published(folder, index_id, _state(manifest), None if owners is None else _state(owners))


class AcceptedFeatures(NamedTuple):
    """Which features events have to bring, for an index of features."""

    encoder_id: str
    vector_size: int
    token_size: int


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """An index that was opened, verified and tried.

    Attributes:
        valuer: attributes by it.
        accepted: what events have to bring; None where the index has an encoder that sees their images.
        show: has metrics tell of it.
        undated: what is to be said of copies where who registered first is paid and the corpus does not tell.
    """

    valuer: StampedValuer
    accepted: AcceptedFeatures | None
    show: Callable[[], None]
    undated: str | None = None


class IndexInUse(Valuers):
    """`Valuers` of the newest index that could be used. `look` is for one thread, `current` and `ask` are for any."""

    def __init__(
        self,
        first: Prepared,
        look: Callable[[], Published],
        prepare: Callable[[], Prepared],
        metrics: Metrics,
        log: Logger,
    ) -> None:
        """Begin with an index.

        Args:
            first: the index.
            look: sees what is published now.
            prepare: opens what is published now; raises where it cannot be used.
            metrics: count changes, and tell which index is in use.
            log: is told of them.
        """
        self._valuer = first.valuer
        self._accepted = first.accepted
        self._seen: Published | None = None
        self._refused: Published | None = None
        self._look = look
        self._prepare = prepare
        self._metrics = metrics
        self._log = log
        self._is_asked = False
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="index", daemon=True)
        self._show(first)

    @override
    def current(self) -> StampedValuer:
        return self._valuer

    def ask(self) -> None:
        """Have what is published opened anew, whether it has changed or not. Takes no lock: signal handlers call it."""
        self._is_asked = True

    def start(self) -> None:
        """Look every second, in a thread."""
        self._thread.start()

    def close(self) -> None:
        """Look no more; an index that is being opened is not waited for."""
        self._ended.set()

    def look(self) -> None:
        """Look once, and take what is new: what was asked for, or what two looks in a row have found.

        Whoever replaces a folder leaves none there for a moment. What was refused is tried again where it has changed.
        """
        before, self._seen = self._seen, self._look()
        is_asked, self._is_asked = self._is_asked, False
        if self._seen.index_id == self._valuer.stamp.index_id and not is_asked:
            self._forget_refused()
        elif is_asked or (self._seen == before and self._seen != self._refused):
            self._try(self._seen)

    def _follow(self) -> None:
        while not self._ended.wait(LOOK_SECONDS):
            self.look()

    def _try(self, found: Published) -> None:
        started = time.perf_counter()
        try:
            prepared = self._prepare()
            complaint = complaint_about_change(self._accepted, prepared.accepted)
        except Refusal as refusal:
            self._refuse(found, str(refusal))
        except Exception as failure:  # noqa: BLE001 - whatever is wrong with it, the index in use is not
            self._refuse(found, f"{type(failure).__name__}: {failure}")
        else:
            if self._look() != found:
                self._is_asked = True  # it changed while it was opened, so files of two may have been mixed
            elif complaint:
                self._refuse(found, complaint)
            else:
                self._take(prepared, time.perf_counter() - started)

    def _take(self, prepared: Prepared, seconds: float) -> None:
        former, stamp = self._valuer.stamp, prepared.valuer.stamp
        self._forget_refused()
        if stamp == former:
            self._log.info("index_unchanged", index_id=stamp.index_id, settings=stamp.settings_digest)
            return
        self._valuer, self._accepted = prepared.valuer, prepared.accepted
        self._metrics.index_changes.labels(IndexChange.TAKEN).inc()
        self._log.info(
            "index_taken",
            index_id=stamp.index_id,
            settings=stamp.settings_digest,
            former_index_id=former.index_id,
            former_settings=former.settings_digest,
            seconds=round(seconds, 3),
        )
        self._show(prepared)

    def _show(self, prepared: Prepared) -> None:
        prepared.show()
        if prepared.undated is not None:
            self._log.warning("copies_undated", why=prepared.undated)

    def _refuse(self, found: Published, reason: str) -> None:
        self._refused = found
        self._metrics.index_refused.set(1)
        self._metrics.index_changes.labels(IndexChange.REFUSED).inc()
        self._log.warning("index_refused", reason=reason, folder=found.folder, index_id=self._valuer.stamp.index_id)

    def _forget_refused(self) -> None:
        self._refused = None
        self._metrics.index_refused.set(0)


def complaint_about_change(former: AcceptedFeatures | None, following: AcceptedFeatures | None) -> str | None:
    """Return why events that fit the former index would not fit the following; None where they do.

    Images are encoded by whichever index there is. Features that events bring are of one encoder: by an index of
    another, each event would be a dead letter.
    """
    if former == following:
        return None
    brought = "images" if former is None else "features of {!r} ({} and tokens of {})".format(*former)
    wanted = "images" if following is None else "features of {!r} ({} and tokens of {})".format(*following)
    return (
        f"events bring {brought}, and this index takes {wanted}: all would be dead letters. Let the topic's producers "
        "send the others first, and start the workers again"
    )


def _state(path: Path) -> FileState | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
