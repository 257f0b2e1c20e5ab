"""`gmv credits page`: statements as HTML, for an owner to see, or for who pays all of them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from gmv.cli.history.committed import FromOption, History, TimezoneOption, ToOption, history, known_owner
from gmv.cli.history.page_folder import WrittenPage, remove_others, write_owners
from gmv.cli.history.statement_view import passed_over_text
from gmv.cli.options import BrokersOption, ConfigOption, JsonOption, LedgerOption, load_settings
from gmv.cli.receipts import ReceiptsOption, ReceiptsTopicOption
from gmv.wording import count_of

if TYPE_CHECKING:
    from gmv.pages.thumbnails import Thumbnail
    from gmv.settings import Settings
    from gmv.statements.page_data import OwnerPage
    from gmv.statements.period import Period


_NOTHING: Final = "there were no events and no corrections in this period"


@dataclass(frozen=True, slots=True)
class WrittenPages:
    """What was written, and how many owners' pages of an earlier run were removed.

    Attributes:
        manager: the page of all owners; None where owners were named.
        is_empty: whether the period has neither an event nor a correction.
        owners: their pages.
        pages_removed: which an earlier run for all owners made, and this one did not.
        pictures: in the pages.
        lines_passed_over: places of lines that are no receipts.
    """

    manager: Path | None
    is_empty: bool
    owners: tuple[WrittenPage, ...]
    pages_removed: int
    pictures: int
    lines_passed_over: tuple[str, ...]


def page(
    out: Annotated[
        Path, typer.Option("--out", metavar="FOLDER", help="Made if it is not there; its pages are replaced.")
    ],
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
    earned most in this time. Owners' pages of an earlier run, which that one linked to, are removed.
    """
    settings = load_settings(config, ledger=ledger, brokers=brokers)
    from gmv.cli.output import render
    from gmv.settings import redact
    from gmv.statements.page_data import PageData
    from gmv.statements.pages import manager_html, page_name
    from gmv.statements.period import period_of
    from gmv.whole_file import make_folder, write_whole

    period = period_of(since, until, timezone)
    folder = out if owner else out / "owners"
    passes = 1 if owner or period.is_all_times or not owners_max else 2
    with history(receipts_files or [], receipts_topics or [], settings, passes) as found:
        named = [known_owner(each, found.totals) for each in dict.fromkeys(owner or ())]
        chosen = named or _leaders(found, period, owners_max)
        make_folder(folder)
        data = PageData(chosen, period, found.totals, settings.ledger.url, events_max)
        data.read(found.bookings())
    pages = {owner_id: data.owner(owner_id) for owner_id in chosen}
    pictures = _pictures(corpus or [], pages.values(), settings)
    written = write_owners(folder, pages, pictures, None if owner else "../index.html")
    told, manager, removed = data.manager(), None if owner else out / "index.html", 0
    if manager is not None:
        links = {each.owner_id: f"owners/{page_name(each.owner_id)}" for each in written}
        write_whole(manager, manager_html(told, links, redact(settings.ledger.url)).encode())
        removed = remove_others(folder, {each.path.name for each in written})
    passed_over = tuple(found.passed_over.places)
    render(WrittenPages(manager, told.total.is_empty, tuple(written), removed, len(pictures), passed_over), json, _view)


def _leaders(found: "History", period: "Period", owners_max: int) -> list[str]:
    """Return who earned most in a period, ties by id; in all of time the ledger says it, and no pass is needed."""
    from gmv.statements.period import When
    from gmv.statements.tally import Tally
    from gmv.valuation.evidence import UNATTRIBUTED

    earned = {each.owner_id: each.micros for each in found.totals.balances}
    if owners_max and not period.is_all_times:
        tally = Tally(period, None)
        for booking in found.bookings():
            tally.add(booking)
        earned = {key.owner_id: line.credit_micros for key, line in tally.lines.items() if key.when is When.WITHIN}
    earned.pop(UNATTRIBUTED, None)
    return sorted(earned, key=lambda owner_id: (-earned[owner_id], owner_id))[:owners_max]


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


def _view(written: WrittenPages) -> Iterator[str]:
    if written.manager is None:
        yield from map(_owner_text, written.owners)
    elif written.is_empty:
        yield f"{written.manager}: {_NOTHING}, so no owner has a page"
    else:
        yield f"{written.manager}: all owners, {len(written.owners):,} of them with a page of their own"
    if written.pages_removed:
        yield f"{count_of(written.pages_removed, 'page')} of owners, of an earlier run, removed"
    if written.pictures:
        yield f"in the pages: {count_of(written.pictures, 'picture')}"
    yield from passed_over_text(written.lines_passed_over)


def _owner_text(written: WrittenPage) -> str:
    earned = f"{_NOTHING} for {written.owner_id}" if written.is_empty else f"what {written.owner_id} earned"
    return f"{written.path}: {earned}"
