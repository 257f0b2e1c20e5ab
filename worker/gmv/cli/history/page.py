"""`gmv credits page`: statements as HTML, for an owner to see, or for who pays all of them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gmv.cli.history.committed import FromOption, TimezoneOption, ToOption, history, known_owner
from gmv.cli.history.statement_view import passed_over_text
from gmv.cli.options import BrokersOption, ConfigOption, JsonOption, LedgerOption, load_settings
from gmv.cli.receipts import ReceiptsOption, ReceiptsTopicOption

if TYPE_CHECKING:
    from gmv.pages.thumbnails import Thumbnail
    from gmv.settings import Settings
    from gmv.statements.page_data import OwnerPage


@dataclass(frozen=True, slots=True)
class WrittenPage:
    """An owner's page."""

    owner_id: str
    path: Path


@dataclass(frozen=True, slots=True)
class WrittenPages:
    """What was written: owners' pages, and the page of all, None where owners were named."""

    manager: Path | None
    owners: tuple[WrittenPage, ...]
    pictures: int
    lines_passed_over: tuple[str, ...]


def page(
    out: Annotated[Path, typer.Option("--out", metavar="FOLDER", help="Made if it is not there; pages are replaced.")],
    owner: Annotated[
        list[str] | None,
        typer.Option(
            "--owner", metavar="OWNER", help="A page for this owner to see, which names no other; may be repeated."
        ),
    ] = None,
    owners_max: Annotated[
        int, typer.Option("--owners-max", metavar="N", min=0, help="Without --owner: who earned most get a page, too.")
    ] = 100,
    events_max: Annotated[
        int, typer.Option("--events-max", metavar="N", min=0, max=10_000, help="Newest events on an owner's page.")
    ] = 100,
    corpus: Annotated[
        list[Path] | None,
        typer.Option("--corpus", metavar="PATH", help="Training images, to show them; may be repeated."),
    ] = None,
    since: FromOption = None,
    until: ToOption = None,
    timezone: TimezoneOption = "UTC",
    receipts_files: ReceiptsOption = None,
    receipts_topics: ReceiptsTopicOption = None,
    brokers: BrokersOption = None,
    ledger: LedgerOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Write statements as pages that open from a file: of owners named, or of all, with a page for who pays them.

    Pages hold all they show and ask for nothing; index.html is of all owners, and links to the pages of those who
    have earned most.
    """
    settings = load_settings(config, ledger=ledger, brokers=brokers)
    from gmv.cli.output import render
    from gmv.settings import redact
    from gmv.statements.page_data import PageData
    from gmv.statements.pages import manager_html, page_name
    from gmv.statements.period import period_of
    from gmv.valuation.evidence import UNATTRIBUTED
    from gmv.whole_file import make_folder, write_whole

    period = period_of(since, until, timezone)
    folder = out if owner else out / "owners"
    with history(receipts_files or [], receipts_topics or [], settings) as found:
        owners = (each for each in found.totals.balances if each.owner_id != UNATTRIBUTED)
        leaders = sorted(owners, key=lambda each: (-each.micros, each.owner_id))[:owners_max]
        owner_ids = [known_owner(each, found.totals) for each in dict.fromkeys(owner or ())]
        chosen = owner_ids or [each.owner_id for each in leaders]
        make_folder(folder)
        data = PageData(chosen, period, found.totals, settings.ledger.url, events_max)
        data.read(found.bookings())
    pages = {owner_id: data.owner(owner_id) for owner_id in chosen}
    pictures = _pictures(corpus or [], pages.values(), settings)
    written = _write_owners(folder, pages, pictures, None if owner else "../index.html")
    manager = None if owner else out / "index.html"
    if manager is not None:
        links = {each.owner_id: f"owners/{page_name(each.owner_id)}" for each in written}
        write_whole(manager, manager_html(data.manager(), links, redact(settings.ledger.url)).encode())
    render(WrittenPages(manager, tuple(written), len(pictures), tuple(found.passed_over.places)), json, _view)


def _pictures(corpus: list[Path], pages: "Iterable[OwnerPage]", settings: "Settings") -> "Mapping[str, Thumbnail]":
    """Return pictures of the training images that pages show, as far as the corpus has them."""
    if not corpus:
        return {}
    from gmv.cli.output import tell_who_watches
    from gmv.corpus.open import open_corpus
    from gmv.imaging.decode import ImageLimits
    from gmv.pages.thumbnails import training_thumbnails

    image_ids = {image_id for page in pages for image_id in page.image_ids}
    tell_who_watches(f"looking for {len(image_ids):,} pictures in the corpus")
    limits = ImageLimits(settings.images.bytes_max, settings.images.pixels_max)
    return training_thumbnails(open_corpus(corpus, limits.bytes_max), image_ids, limits)


def _write_owners(
    folder: Path, pages: "Mapping[str, OwnerPage]", pictures: "Mapping[str, Thumbnail]", manager: str | None
) -> list[WrittenPage]:
    from gmv.statements.pages import owner_html, page_name
    from gmv.whole_file import write_whole

    written = []
    for owner_id, page in pages.items():
        path = folder / page_name(owner_id)
        write_whole(path, owner_html(page, pictures, manager).encode(errors="replace"))
        written.append(WrittenPage(owner_id, path))
    return written


def _view(written: WrittenPages) -> Iterator[str]:
    if written.manager is not None:
        yield f"{written.manager}: all owners, {len(written.owners):,} of them with a page of their own"
    else:
        yield from (f"{each.path}: what {each.owner_id} earned" for each in written.owners)
    if written.pictures:
        yield f"{written.pictures:,} pictures are in the pages"
    yield from passed_over_text(written.lines_passed_over)
