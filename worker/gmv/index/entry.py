"""What the parts of a manifest have in common."""

from pydantic import BaseModel, ConfigDict


class Entry(BaseModel):
    """A part of the manifest: frozen, and with no key that this gmv does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")
