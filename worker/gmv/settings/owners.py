"""The section `owners`."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from gmv.settings.section import Section


class OwnersSettings(Section):
    """What owners have said since the index was built; decides credits, too, and is in every receipt's digest."""

    file: Path | None = Field(
        None,
        description="File of JSON lines that say which owners and images are opted out, and which images have another "
        "owner now. It is read at the start, and by a worker again with each index that it takes. Without it, the "
        "owners are those of the index.",
    )
    opted_out: Literal["unpaid", "left_out"] = Field(
        "unpaid",
        description="What becomes of the share of an image that is opted out: with `unpaid` nobody is credited for it; "
        "with `left_out` the image takes no part, the next nearest of the recalled images takes its place, and they "
        "share the whole credit. An event of which all recalled images are left out is credited to nobody.",
    )
