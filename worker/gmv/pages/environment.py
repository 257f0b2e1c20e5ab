"""Templates of pages: every value is escaped, and an unknown name is an error."""

from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from gmv.valuation.types import credits_text
from gmv.wording import count_of, shortened


def page_environment(package: str) -> Environment:
    """Return what renders a package's `templates`, and those that all pages share."""
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(package, "templates"), PackageLoader("gmv.pages", "templates")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Any] = {
        "credits": credits_text,
        "percent": lambda part: f"{100 * part:.1f} %",
        "count_of": count_of,
        "shortened": shortened,
        "thousands": lambda number: f"{number:,}",
    }
    environment.filters.update(filters)
    return environment
