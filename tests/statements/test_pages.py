"""Pages of owners and of all of them: what is on them, what is not, and how a browser opens them."""

from collections.abc import Collection
from pathlib import Path

import pytest

from gmv.ledger.totals import LedgerTotals
from gmv.pages.thumbnails import Thumbnail, thumbnail
from gmv.settings import LedgerSettings
from gmv.statements.page_data import EVENTS_SHOWN, PageData
from gmv.statements.pages import OWNERS_LISTED_MAX, manager_html, owner_html, page_name
from gmv.statements.period import Period
from gmv.valuation.evidence import UNATTRIBUTED
from tests.cli.command import gmv, gmv_json
from tests.demo.test_report import HOSTILE, Page
from tests.demo.world import LIMITS, image_file
from tests.services.browser import dump_dom
from tests.statements.test_statement import told, totals_of
from tests.statements.world import Event, World, paying

OWNERS = {"ada": 600_000, "ben": 400_000}


def data_of(
    events: list[Event], owner_ids: list[str], period: Period | None = None, events_max: int = EVENTS_SHOWN
) -> PageData:
    bookings = told(events)
    data = PageData(owner_ids, period or Period(), totals_of(bookings), "redis://secret-host:6379/0", events_max)
    data.read(bookings)
    return data


def pictures_of(image_ids: Collection[str]) -> dict[str, Thumbnail]:
    return {image_id: thumbnail(image_file(shade, 160, "JPEG"), LIMITS) for shade, image_id in enumerate(image_ids)}


def events_of(count: int) -> list[Event]:
    evidence = [{"p": 0.0125, "reliable": True}, {"p": 0.75, "reliable": False}]
    return [
        Event(OWNERS, {"at": n * 86_400_000, "model": f"m{n % 2}", "evidence": evidence[n % 2]}) for n in range(count)
    ]


def test_an_owners_page_names_no_other_owner_and_no_server() -> None:
    page = Page(owner_html(data_of(events_of(40), ["ada"]).owner("ada"), {}))
    assert "ben" not in page.text
    assert "secret-host" not in page.text
    assert not page.all("a")
    for shown in (
        "24.000000",
        "1970-01",
        "1970-02",
        "m0",
        "m1",
        "0.013",
        "0.750",
        "unreliable",
        "index-1",
        "settings-1",
    ):
        assert shown in page.text
    assert page.text.count("60.0 %") == 40
    assert "resemblance is no cause" in page.text


def test_what_no_owner_is_paid_has_a_page_too() -> None:
    """The account of what is unattributed is no contributor: the receipt names it by a sum of its own."""
    data = data_of([Event({"ada": 0}, {"at": 1, "micros": 5, "unattributed_micros": 5})], [UNATTRIBUTED])
    assert "there is no evidence for any" in Page(owner_html(data.owner(UNATTRIBUTED), {})).text
    assert "100.0 %" in Page(manager_html(data.manager(), {}, "x")).text


def test_receipts_that_tell_no_time_are_in_a_period_without_an_end_and_in_no_other() -> None:
    undated = [Event(OWNERS, {}), Event(OWNERS, {"at": 86_400_000})]
    whole = Page(owner_html(data_of(undated, ["ada"]).owner("ada"), {})).text
    assert "1.200000" in whole
    assert "no time told" in whole
    day = Page(owner_html(data_of(undated, ["ada"], Period(0, 10**9)).owner("ada"), {})).text
    assert "1 event and" in day
    assert "so they are in no period" in day


def test_the_page_of_all_names_everybody_once_and_links_to_their_pages() -> None:
    page = Page(manager_html(data_of(events_of(40), []).manager(), {"ada": "owners/a.html"}, "redis://host"))
    assert [attributes["href"] for attributes in page.all("a")] == ["owners/a.html"]
    assert page.text.count("24.000000") == 2  # in the period, and in the ledger
    assert page.text.count("16.000000") == 2
    assert "50.0 %" in page.text  # of the events are unreliable
    assert "40.000000" in page.text


def test_names_are_shown_and_never_run() -> None:
    events = [Event({HOSTILE: 5}, {"at": 1, "model": HOSTILE, "picture": HOSTILE, "index": HOSTILE})]
    data = data_of(events, [HOSTILE])
    for html in (owner_html(data.owner(HOSTILE), {}), manager_html(data.manager(), {HOSTILE: page_name(HOSTILE)}, "x")):
        page = Page(html)
        assert not page.all("script")
        assert not page.all("img")
        assert not [attributes for _, attributes in page.tags if any(name.startswith("on") for name in attributes)]
        titles = [attributes.get("title") for _, attributes in page.tags]
        assert page.text.count(HOSTILE) + titles.count(HOSTILE) >= 2
        (policy,) = [attributes["content"] for attributes in page.all("meta") if "http-equiv" in attributes]
        assert policy == "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


@pytest.mark.parametrize(
    "owner_id", ["ada", "Ada", "../../etc/passwd", "", "ж 画家", "a" * 500, "\ud800", "a/b", "a-b"]
)
def test_each_owner_has_a_page_of_a_plain_name(owner_id: str) -> None:
    others = {page_name(each) for each in ["ada", "Ada", "a/b", "a-b", "a b", ""] if each != owner_id}
    assert page_name(owner_id) not in others
    assert Path(page_name(owner_id)).name == page_name(owner_id)
    assert len(page_name(owner_id)) < 64
    assert page_name(owner_id).isascii()


@pytest.mark.parametrize(("events_max", "bytes_max"), [(EVENTS_SHOWN, 200_000), (10_000, 10_000_000)])
def test_a_page_of_ten_thousand_events_holds_each_picture_once(events_max: int, bytes_max: int) -> None:
    events = [Event({"ada": micros}, {"at": n}) for n, micros in enumerate([500_000, 499_999, 6] * 3_334)]
    page = data_of(events, ["ada"], events_max=events_max).owner("ada")
    html = owner_html(page, pictures_of(page.image_ids))
    assert len(html.encode()) < bytes_max
    assert len(page.events) == events_max
    assert f"The newest {events_max:,} of\n    10,002" in Page(html).text
    assert len(Page(html).all_of_class("picture")) == events_max + len(page.statement.works)
    assert html.count("data:image/") == len(page.image_ids)


def test_a_long_name_of_a_model_is_shortened_and_whole_in_its_title() -> None:
    names = [f"{'m' * 998}-{n}" for n in range(2)]
    data = data_of([Event(OWNERS, {"at": 1, "model": name}) for name in names], ["ada"])
    for html, times in ((owner_html(data.owner("ada"), {}), 2), (manager_html(data.manager(), {}, "x"), 1)):
        page = Page(html)
        assert "m" * 60 not in page.text
        for name in names:
            assert [attributes.get("title") for _, attributes in page.tags].count(name) == times
            assert page.text.count(name[-10:]) == times


def test_more_owners_than_a_page_lists_are_counted() -> None:
    events = [Event({f"owner-{n}": 1_000_000 - n}, {"at": 1}) for n in range(OWNERS_LISTED_MAX + 7)]
    page = Page(manager_html(data_of(events, []).manager(), {}, "x"))
    assert "7 more are in what" in page.text
    assert "owner-2006" not in page.text


def test_a_ledger_that_has_credited_nothing_has_a_page() -> None:
    data = PageData([], Period(), LedgerTotals([], 0, {}), "x")
    data.read([])
    assert "0.000000" in Page(manager_html(data.manager(), {}, "x")).text


@pytest.fixture
def ledger(tmp_path: Path) -> LedgerSettings:
    world = World(tmp_path)
    world.commit([Event(OWNERS, {"time": "2026-10-05T00:00:00Z"}), paying("ben", time="2026-11-05T00:00:00Z")])
    return world.settings


def test_pages_for_owners_to_see(ledger: LedgerSettings, tmp_path: Path) -> None:
    written = gmv_json(ledger, "credits", "page", "--owner", "ben", "--out", tmp_path / "pages")
    assert written["manager"] is None
    assert [path.name for path in (tmp_path / "pages").iterdir()] == [page_name("ben")]
    assert "ada" not in (tmp_path / "pages" / page_name("ben")).read_text()


def test_pages_for_who_pays(ledger: LedgerSettings, tmp_path: Path) -> None:
    out = tmp_path / "pages"
    done = gmv(ledger, "credits", "page", "--out", out, "--from", "2026-10-01", "--to", "2026-11-01", "--owners-max", 1)
    assert done.stdout == f"{out / 'index.html'}: all owners, 1 of them with a page of their own\n"
    index = Page((out / "index.html").read_text())
    assert [attributes["href"] for attributes in index.all("a")] == [f"owners/{page_name('ada')}"]
    owner = Page((out / "owners" / page_name("ada")).read_text())
    assert [attributes["href"] for attributes in owner.all("a")] == ["../index.html"]
    assert "0.600000" in owner.text
    for page in (index, owner):
        assert "From 2026-10-01 to before 2026-11-01 (UTC)" in page.text


def test_pages_of_an_earlier_run_for_all_owners_are_removed_and_nothing_else(
    ledger: LedgerSettings, tmp_path: Path
) -> None:
    out, owners = tmp_path / "pages", tmp_path / "pages" / "owners"
    gmv_json(ledger, "credits", "page", "--owner", "ada", "--out", owners)  # for ada to see
    seen_by_ada = (owners / page_name("ada")).rename(owners / page_name("somebody"))
    gmv_json(ledger, "credits", "page", "--out", out)
    kept = [seen_by_ada, owners / "notes.html", owners / page_name("a person's"), owners / page_name("linked")]
    kept[1].write_bytes((owners / page_name("ada")).read_bytes())
    kept[2].write_text("<!doctype html>\n<title>gmv</title>")
    (tmp_path / "elsewhere.html").write_bytes(kept[1].read_bytes())
    kept[3].symlink_to(tmp_path / "elsewhere.html")

    told = gmv_json(ledger, "credits", "page", "--out", out, "--owners-max", 1)
    assert told["pages_removed"] == 1
    assert set(owners.iterdir()) == {owners / page_name("ben"), *kept}
    assert gmv_json(ledger, "credits", "page", "--owner", "ada", "--out", owners)["pages_removed"] == 0
    assert (owners / page_name("ben")).exists()
    gmv_json(ledger, "credits", "page", "--out", out)
    done = gmv(ledger, "credits", "page", "--out", out, "--owners-max", 1)
    assert "1 page of owners, of an earlier run, removed" in done.stdout


@pytest.mark.parametrize("owner_options", [(), ("--owner", "ada")])
def test_a_period_without_events_is_said_to_be_one(
    ledger: LedgerSettings, tmp_path: Path, owner_options: tuple[str, ...]
) -> None:
    out = tmp_path / "pages"
    done = gmv(ledger, "credits", "page", "--out", out, "--from", "2020-01-01", "--to", "2020-02-01", *owner_options)
    assert "there were no events and no corrections in this period" in done.stdout
    (page,) = [path.read_text() for path in out.rglob("*.html")]
    assert "There were no events and no corrections in this period" in page
    assert "receipts do not say" not in page
    assert "Owners, by what they earned" not in page
    assert "By month" not in page


def test_who_earned_nothing_in_the_period_has_no_page_unless_it_is_asked_for(
    ledger: LedgerSettings, tmp_path: Path
) -> None:
    """Of October, ada earned most; of all times, and of November, ben."""
    for number, (since, until, owners_max, owners) in enumerate(
        [
            ("2026-10-01", "2026-11-01", 9, ["ada", "ben"]),
            ("2026-10-01", "2026-11-01", 1, ["ada"]),
            ("2026-11-01", "2026-12-01", 9, ["ben"]),
            ("2026-11-01", "2026-12-01", 0, []),
        ]
    ):
        period = ("--from", since, "--to", until, "--owners-max", owners_max)
        told = gmv_json(ledger, "credits", "page", "--out", tmp_path / f"{number}", *period)
        assert [each["owner_id"] for each in told["owners"]] == owners
    november = ("--from", "2026-11-01", "--to", "2026-12-01")
    told = gmv_json(ledger, "credits", "page", "--out", tmp_path / "one", *november, "--owner", "ada")
    assert [each["owner_id"] for each in told["owners"]] == ["ada"]


def test_pictures_are_those_of_the_corpus(ledger: LedgerSettings, tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    names = ["ada-0.png", "ben-1.png", "ben-2.png"]
    for shade, name in enumerate(names):
        (corpus / name).write_bytes(image_file(shade))
    (corpus / "ben-2.png").write_bytes(b"no picture")
    rows = ["file_name,image_id,owner_id", *(f"{name},{name[:-4]},{name[:3]}" for name in names)]
    (corpus / "metadata.csv").write_text("\n".join(rows) + "\n")
    written = gmv_json(ledger, "credits", "page", "--out", tmp_path / "pages", "--corpus", corpus)
    assert written["pictures"] == 2
    page = Page((tmp_path / "pages" / "owners" / page_name("ada")).read_text())
    assert {attributes["aria-label"] for attributes in page.all_of_class("picture")} == {"Training image ada-0"}


@pytest.mark.servers
def test_both_pages_open_in_a_browser(ledger: LedgerSettings, tmp_path: Path) -> None:
    written = gmv_json(ledger, "credits", "page", "--out", tmp_path / "pages")
    index = dump_dom(Path(written["manager"]))
    assert index.count('<th scope="row"><a href="owners/') == 2
    assert "<dd>2.000000</dd>" in index
    owner = dump_dom(Path(written["owners"][0]["path"]))
    assert "<h1>What ben earned</h1>" in owner
    assert "<strong>1.400000</strong>" in owner


@pytest.mark.servers
def test_a_page_of_ten_thousand_events_opens_in_a_browser(tmp_path: Path) -> None:
    events = [Event({"ada": 500_000}, {"at": n}) for n in range(10_000)]
    page = data_of(events, ["ada"], events_max=10_000).owner("ada")
    path = tmp_path / "ada.html"
    path.write_text(owner_html(page, pictures_of(page.image_ids)))
    assert dump_dom(path).count('class="picture picture-0"') == 10_001
