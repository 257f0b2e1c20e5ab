"""The section `images`."""

from pathlib import Path
from typing import Any

from pydantic import Field, IPvAnyNetwork, field_validator

from gmv.settings.section import Attempts, Bytes, Pixels, Section


class ImageSettings(Section):
    """What an event's image may be, and where it may come from."""

    root: Path | None = Field(
        None, description="Folder in which the files of `file:` URIs must lie. Without it, no file is read."
    )
    schemes: tuple[str, ...] = Field(
        (),
        description="URI schemes that are read besides `file`: `https`, `http`, `s3`, `s3a`, `gs`, `gcs`, `az`, `abfs` "
        "or `abfss`.",
    )
    hosts: tuple[str, ...] = Field(
        (),
        description="Hosts and buckets that URIs may name, such as `images.example`, `cdn.example:8443` or "
        "`*.cdn.example` for all hosts below one. A port is needed where it is not the scheme's own.",
    )
    networks: tuple[IPvAnyNetwork, ...] = Field(
        (),
        description="Networks that are not public and to which the hosts may lead all the same, such as `10.1.0.0/16`. "
        "Connections to other private addresses are refused.",
    )
    bytes_max: Bytes = Field(
        20 * 2**20, gt=0, description="Size of the largest image file; an event with a larger one is dead-lettered."
    )
    pixels_max: Pixels = Field(
        50_000_000,
        gt=0,
        le=178_956_970,
        description="Width times height of the largest image; an event with a larger one is dead-lettered.",
    )
    attempts: Attempts = Field(
        3,
        ge=1,
        le=10,
        description="How often a URI is tried in all, after growing pauses, before its event is dead-lettered as "
        "unreachable.",
    )

    @property
    def record_bytes_max(self) -> int:
        """The largest Kafka record that gmv has to pass on: such an image as base64, twice over, and its envelope."""
        return 2 * self.bytes_max + 2**20

    @field_validator("schemes", "hosts", "networks", mode="before")
    @classmethod
    def _split(cls, listed: Any) -> Any:
        """Let one text carry several, comma-separated, as a flag or a variable has to."""
        return tuple(part.strip() for part in listed.split(",") if part.strip()) if isinstance(listed, str) else listed
