"""The report of the dashboards: how it leads on."""

import re

import pytest

from gmv.dashboards.prometheus import Prometheus, Series, Window
from gmv.dashboards.report import report


class Silent(Prometheus):
    """Has nothing of any metric."""

    def series(self, expression: str, window: Window) -> list[Series]:
        return []


@pytest.mark.parametrize(
    ("statement", "links"),
    [
        (None, []),
        ("october/index.html", ['<a href="october/index.html">What owners earned</a>']),
        ('x"><script>', ['<a href="x&#34;&gt;&lt;script&gt;">What owners earned</a>']),
    ],
)
def test_it_links_to_the_page_of_all_owners_where_one_is_named(statement: str | None, links: list[str]) -> None:
    html = report(Silent("http://prometheus:9090"), Window(0.0, 3_600.0, 15.0, 15.0), statement=statement)
    assert re.findall("<a .*?</a>", html) == links
