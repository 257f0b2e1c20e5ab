"""Where a demo keeps what it makes, and how a second run knows that it may go on from there."""

import hashlib
import os
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson

from gmv.errors import CorpusRefused, InvalidSettings
from gmv.files.receipts import receipts_path
from gmv.whole_file import make_folder, write_whole

_NAME = "demo.json"


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a demo is made from; the same inputs give the same events, byte for byte.

    Attributes:
        corpus_sha256: digest of the corpus, see `corpus_digest`.
        events: number of generated images.
        seed: of the remix generator.
    """

    corpus_sha256: str
    events: int
    seed: int


@dataclass(frozen=True, slots=True)
class DemoFolder:
    """Paths inside a demo's folder."""

    root: Path

    @property
    def index(self) -> Path:
        """Index folder."""
        return self.root / "index"

    @property
    def events(self) -> Path:
        """JSON lines, one CloudEvent each."""
        return self.root / "events.jsonl"

    @property
    def sources(self) -> Path:
        """JSON, event id -> ids of the training images it was made of."""
        return self.root / "sources.json"

    @property
    def ledger(self) -> Path:
        """SQLite file."""
        return self.root / "ledger.db"

    @property
    def ledger_url(self) -> str:
        """As `--ledger` takes it."""
        return f"sqlite:///{self.ledger}"

    @property
    def receipts(self) -> Path:
        """JSON lines, by the name under which commands find them by themselves."""
        return receipts_path(self.events)

    @property
    def dead_letters(self) -> Path:
        """JSON lines."""
        return self.root / "dead-letters.jsonl"

    @property
    def report(self) -> Path:
        """HTML."""
        return self.root / "report.html"

    def claim(self, inputs: Inputs) -> None:
        """Make the folder for these inputs, or go on where an earlier demo of the same inputs ended.

        Raises:
            InvalidSettings: the folder holds a demo of other inputs, or something else, or cannot be made.
        """
        make_folder(self.root)
        names = {path.name for path in self.root.iterdir()}
        if names <= {_NAME}:  # an earlier demo may have stopped at inputs that it could not use
            write_whole(self.root / _NAME, orjson.dumps(asdict(inputs)))
        elif _NAME in names:
            self._compare(inputs)
            self._rename_receipts()
        else:
            raise InvalidSettings(f"{self.root} holds files that are no demo's; give a folder of its own with --out")

    def _compare(self, inputs: Inputs) -> None:
        found, wanted = orjson.loads((self.root / _NAME).read_bytes()), asdict(inputs)
        differing = [name for name, value in wanted.items() if found.get(name) != value]
        if differing:
            name = differing[0]
            raise InvalidSettings(
                f"{self.root} holds a demo of another input ({name} is {found.get(name)!r} there, now "
                f"{wanted[name]!r}); give another folder with --out, or delete that one"
            )

    def _rename_receipts(self) -> None:
        """Earlier demos had another name for them, and a ledger without its receipts would be refused."""
        former = self.root / "receipts.jsonl"
        if former.is_file() and not self.receipts.exists():
            former.rename(self.receipts)


def corpus_digest(corpus: Path) -> str:
    """Return the SHA-256 of a corpus file; of a folder, over the names and digests of its files.

    Raises:
        CorpusRefused: there is nothing at the path.
    """
    if corpus.is_file():
        return _file_digest(corpus)
    if not corpus.is_dir():
        raise CorpusRefused(f"{corpus} is not there; give a Parquet file or a folder of images with --corpus")
    files = sorted(path for path in corpus.rglob("*") if path.is_file())
    names = (f"{path.relative_to(corpus)}\0{_file_digest(path)}\n" for path in files)
    return hashlib.sha256(os.fsencode("".join(names))).hexdigest()


def _file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
