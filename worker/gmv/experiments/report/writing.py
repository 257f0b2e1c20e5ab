"""A report's sections as Markdown and as a page that needs nothing but itself."""

from collections.abc import Sequence
from typing import Final

from gmv.experiments.report.layout import Section, Table
from gmv.pages.environment import page_environment

TITLE: Final = "How far attribution can be trusted"
READING: Final = (
    "A credit says that a training image is among those most like the generated one, by the encoder of the index.",
    "Where used images earn more than unused ones like them, credits follow what the generator learnt from.",
    "A credit does not say that the image was needed: what would have been generated without it takes retraining.",
    "v1, or used, are images that the generator was trained on; v2, or unused, are others. Intervals are of 95 %.",
)


def as_markdown(sections: Sequence[Section]) -> str:
    """Return the report as a document."""
    lines = [f"# {TITLE}", "", "Written by `gmv experiment report` from stored results.", ""]
    lines += [part for sentence in READING for part in (sentence, "")]
    for section in sections:
        lines += [f"## {section.title}", "", "```", section.command, "```", ""]
        lines += [*(f"- {sentence}" for sentence in section.text), ""]
        for table in section.tables:
            lines += [*_rows(table), ""]
    return "\n".join(lines).rstrip() + "\n"


def _rows(table: Table) -> list[str]:
    lines = [table.columns, tuple("---" for _ in table.columns), *table.rows]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines]


def as_page(sections: Sequence[Section]) -> str:
    """Return the report as HTML, with pictures inside and without a script."""
    template = page_environment("gmv.experiments.report").get_template("report.html.j2")
    return template.render(title=TITLE, reading=READING, sections=sections)
