import re
from dataclasses import replace
from html.parser import HTMLParser

from gmv.demo.report import FEATURED, LEADERS, leaders, pictured, render
from gmv.demo.source_hits import outcomes
from tests.demo.world import receipt_of, story_of, told_of

HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)>'


class Page(HTMLParser):
    """Collects tags with their attributes, and the text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._texts: list[str] = []
        self.feed(html)
        self.text = "".join(self._texts)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self._texts.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]

    def all_of_class(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for _, attributes in self.tags if name in (attributes.get("class") or "").split()]


def test_ids_and_paths_are_shown_and_never_run() -> None:
    told = outcomes([receipt_of(HOSTILE, [f"{HOSTILE}a@{HOSTILE}", "b@2"])], {HOSTILE: (f"{HOSTILE}a@{HOSTILE}",)})
    page = Page(render(story_of(told, facts=[(HOSTILE, HOSTILE)])))
    assert not page.all("script")
    assert not [attributes for _, attributes in page.tags if any(name.startswith("on") for name in attributes)]
    assert page.text.count(HOSTILE) >= 4
    assert {attributes["alt"] for attributes in page.all("img")} >= {f"Generated image {HOSTILE}"}
    assert all(str(attributes["src"]).startswith("data:image/png;base64,") for attributes in page.all("img"))


def test_nothing_is_asked_of_the_network() -> None:
    page = Page(render(story_of(told_of(40))))
    links = [attributes.get(name) for _, attributes in page.tags for name in ("src", "href", "srcset", "action")]
    assert all(link.startswith("data:image/") for link in links if link is not None)
    assert not re.findall(r"url\(|@import", render(story_of(told_of(2))))
    policy = [attributes["content"] for attributes in page.all("meta") if "http-equiv" in attributes]
    assert policy == ["default-src 'none'; img-src data:; style-src 'unsafe-inline'"]


def test_every_picture_is_described() -> None:
    page = Page(render(story_of(told_of(40))))
    assert page.all("img")
    assert all(attributes.get("alt") for attributes in page.all("img"))


def test_the_pictures_asked_for_are_all_that_are_shown() -> None:
    told = told_of(40)
    story = story_of(told)
    asked_for = {image_id: story.training[image_id] for image_id in pictured(told)}
    assert "no picture" not in Page(render(replace(story, training=asked_for))).text
    assert len(asked_for) < len(story.training)


def test_every_event_is_shown_once() -> None:
    told = told_of(40)
    page = Page(render(story_of(told)))
    assert len(page.all("article")) == FEATURED
    for outcome in told:
        assert page.text.count(outcome.event_id) == 1


def test_the_figures_are_the_ledgers() -> None:
    told = told_of(40)
    page = Page(render(story_of(told)))
    assert "40.000000" in page.text
    assert page.text.count("40,000,000") == 3
    short = replace(story_of(told), balances=story_of(told).balances[1:])
    missing = story_of(told).balances[0].micros
    assert f"-{missing}" in Page(render(short)).text


def test_the_first_figure_is_credit_on_true_owners_beside_chance() -> None:
    told = told_of(40)
    story = story_of(told)
    assert story.hits is not None
    page = Page(render(replace(story, copies=story.hits)))
    figures = page.text[page.text.index("remixes' credit goes to true owners") :]
    assert figures.index(f"{100 * story.hits.owners_share:.1f} %") < figures.index("credits shared out")
    assert f"{100 * story.hits.owners_share_by_chance:.1f} % by chance" in figures
    assert "of altered copies' credit is on their source" in figures
    assert "altered copies' credit" not in Page(render(story)).text


def test_leaders_are_ranked_by_total_and_compared_with_their_part_of_the_corpus() -> None:
    story = story_of(told_of(8))
    ranked = leaders(story)
    assert [leader.micros for leader in ranked] == sorted((b.micros for b in story.balances), reverse=True)
    assert sum(leader.share for leader in ranked) == 1.0
    assert {leader.events for leader in ranked} == {8}
    assert all(leader.share_of_images == leader.images / 33 for leader in ranked)


def test_an_owners_events_are_those_that_paid_them() -> None:
    """As statements count them: of three micro-credits, the fourth contributor is paid none."""
    told = outcomes([receipt_of(name, [f"{n}@owner-{n}" for n in range(4)], 3) for name in ("one", "two")], {})
    ranked = leaders(story_of(told))
    assert {leader.owner_id: (leader.micros > 0, leader.events) for leader in ranked} == {
        **{f"owner-{n}": (True, 2) for n in range(3)},
        "owner-3": (False, 0),
    }


def test_owners_beyond_the_leaderboard_are_folded_away() -> None:
    told = outcomes([receipt_of("one", [f"{n}@owner-{n}" for n in range(LEADERS + 3)])], {})
    page = Page(render(story_of(told)))
    assert len(page.all("details")) == 1
    assert "The other 3 owners" in page.text


def test_a_run_of_unknown_sources_and_without_pictures_still_makes_a_report() -> None:
    told = outcomes([receipt_of("features only", ["a@1", "b@2"])], {})
    page = Page(render(replace(story_of(told), generated={}, training={})))
    assert not page.all("img")
    assert "no picture" in page.text
    assert "remix" not in page.text


def test_an_empty_run_makes_a_report() -> None:
    assert "0.000000" in Page(render(story_of([]))).text
