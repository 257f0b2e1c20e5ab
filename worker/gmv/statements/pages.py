"""Pages of HTML that need nothing but themselves: one for an owner, and one for who pays all of them.

An owner's page names no other owner, and no sum of theirs: it is for that owner to see.
"""

import hashlib
import re
from collections.abc import Mapping
from typing import Final

from gmv import __version__
from gmv.pages.environment import page_environment
from gmv.pages.thumbnails import Thumbnail
from gmv.statements.page_data import ManagerPage, OwnerPage
from gmv.statements.period import period_text

OWNERS_LISTED_MAX: Final = 2_000
PAGE_NAME: Final = re.compile(r"[a-z0-9-]+-[0-9a-f]{12}\.html")
"""Matches what `page_name` returns."""
MADE_WITH_ALL: Final = "gmv: a page for each owner"
"""What made the owners' pages that go with a page of all owners: `content` of their first element `meta`."""
_NAME_CHARACTERS_MAX: Final = 40


def page_name(owner_id: str) -> str:
    """Return the name of an owner's page: what a file's name can have of the id, and a digest, so that each has one."""
    readable = re.sub(r"[^a-z0-9]+", "-", owner_id.lower())[:_NAME_CHARACTERS_MAX].strip("-")
    digest = hashlib.blake2b(owner_id.encode(errors="surrogatepass"), digest_size=6).hexdigest()
    return f"{readable or 'owner'}-{digest}.html"


def owner_html(page: OwnerPage, pictures: Mapping[str, Thumbnail], manager: str | None = None) -> str:
    """Return an owner's page.

    Args:
        page: what it shows.
        pictures: of training images, by image id; without any, none are spoken of.
        manager: link to the page of all owners; None for a page that the owner gets.
    """
    return (
        page_environment("gmv.statements")
        .get_template("owner.html.j2")
        .render(
            page=page,
            statement=page.statement,
            period=period_text(page.statement.since, page.statement.until),
            pictures=pictures,
            picture_numbers={image_id: number for number, image_id in enumerate(pictures)},
            manager=manager,
            made_with_all=MADE_WITH_ALL if manager else None,
            version=__version__,
        )
    )


def manager_html(page: ManagerPage, links: Mapping[str, str], ledger_url: str) -> str:
    """Return the page of all owners.

    Args:
        page: what it shows.
        links: to owners' pages, by owner id, as far as there are some.
        ledger_url: of the ledger, without what is secret.
    """
    return (
        page_environment("gmv.statements")
        .get_template("manager.html.j2")
        .render(
            page=page,
            period=period_text(page.since, page.until),
            owners=page.owners[:OWNERS_LISTED_MAX],
            unlisted=len(page.owners[OWNERS_LISTED_MAX:]),
            most=max((row.line.credit_micros for row in page.owners), default=1),
            links=links,
            ledger_url=ledger_url,
            version=__version__,
        )
    )
