"""What all parts of a manifest are made of."""

from pydantic import BaseModel, ConfigDict, Field

UnitInterval = Field(ge=0.0, le=1.0)


def is_none(value: object) -> bool:
    """For fields that only some indexes have: another's manifest, and so its id, is as it was before there was one."""
    return value is None


class Entry(BaseModel):
    """A part of a manifest: it never changes, and has no names but those that are known."""

    model_config = ConfigDict(frozen=True, extra="forbid")
