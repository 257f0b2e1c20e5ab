"""Of what another index an index was made."""

from pydantic import Field

from gmv.index.entry import Entry


class ParentEntry(Entry):
    """The index that this one was made of, by adding images or removing some; encoder and coder are the same.

    How many candidates are enough, what recall loses, what is evidence and up to which distance images are near copies
    are measurements of the index that was built, which this one descends from, over its images.

    Attributes:
        index_id: of the parent.
        measured_index_id: of the index that was built, and that the measurements are of.
        added: training images that it lacks.
        removed: training images of its own that are left out here.
        neighbours_kept: whether distances among neighbours, and so the temperature, are the parent's, too.
    """

    index_id: str = Field(pattern=r"^[0-9a-f]{32}$")
    measured_index_id: str = Field(pattern=r"^[0-9a-f]{32}$")
    added: int = Field(ge=0)
    removed: int = Field(ge=0)
    neighbours_kept: bool
