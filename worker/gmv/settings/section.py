"""What all sections of the settings are made of: their base class, units, and patterns with words for them."""

from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

TOPIC_PATTERN: Final = r"^[a-zA-Z0-9._-]+$"
NAMESPACE_PATTERN: Final = r"^[a-z0-9-]+$"
IN_WORDS: Final = {
    TOPIC_PATTERN: "letters from a to z, digits, dots, underscores and dashes, at least one and no other sign",
    NAMESPACE_PATTERN: "lower-case letters from a to z, digits and dashes, at least one and no other sign",
}
"""What a value that does not match a pattern should be."""


class Section(BaseModel):
    """One section of the settings: a table of the TOML file. Its docstring is on the configuration page."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


@dataclass(frozen=True, slots=True)
class Unit:
    """What a setting is counted in, as the metadata of its type; for the configuration page."""

    name: str


Seconds = Annotated[float, Unit("seconds")]
Bytes = Annotated[int, Unit("bytes")]
Pixels = Annotated[int, Unit("pixels")]
Images = Annotated[int, Unit("images")]
Records = Annotated[int, Unit("records")]
Attempts = Annotated[int, Unit("attempts")]
Events = Annotated[int, Unit("events")]
Workers = Annotated[int, Unit("workers")]
Ratio = Annotated[float, Field(ge=0.0, le=1.0), Unit("ratio")]
