"""Where settings come from, by pydantic-settings: dotted flags, then variables, then a TOML file, then defaults.

It takes longer to import than most commands to run, so this module is imported when settings are loaded. Its own
source of flags is not used, since that would parse the command line, which typer does.
"""

from collections.abc import Mapping
from pathlib import Path
from stat import S_ISREG
from typing import Any

from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from gmv.errors import InvalidSettings
from gmv.settings.all import PREFIX, Settings


def merge(flags: Mapping[str, Any], variables: Mapping[str, str], file: Path | None) -> Settings:
    """Merge what each source sets; the flags win over the variables, they over the file.

    Args:
        flags: by dotted name, such as "ledger.url".
        variables: by name, such as `GMV_LEDGER_URL`.
        file: TOML with a table per section; None for none.

    Raises:
        InvalidSettings: the file cannot be read, or is not TOML.
        ValidationError: a value is wrong, or the file names an unknown setting.
    """

    class Layered(BaseSettings, Settings):
        model_config = SettingsConfigDict(env_nested_max_split=1, enable_decoding=False)

        @classmethod
        def settings_customise_sources(
            cls, settings_cls: type[BaseSettings], *_: PydanticBaseSettingsSource, **__: PydanticBaseSettingsSource
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return (
                _by_name(settings_cls, flags, prefix="", delimiter="."),
                _by_name(settings_cls, variables, prefix=PREFIX, delimiter="_"),
                _in_file(settings_cls, file),
            )

    return Settings(**dict(Layered()))


def _by_name(
    settings_class: type[BaseSettings], values: Mapping[str, Any], prefix: str, delimiter: str
) -> EnvSettingsSource:
    """Read settings by the names that a prefix and a delimiter make of theirs, from these values alone."""
    source = EnvSettingsSource(settings_class, env_prefix=prefix, env_nested_delimiter=delimiter)
    source.env_vars = {name.lower(): value for name, value in values.items()}
    return source


def _in_file(settings_class: type[BaseSettings], file: Path | None) -> TomlConfigSettingsSource:
    """Read a TOML file; one that is not there is refused, where pydantic would read nothing."""
    try:
        if file is not None and not S_ISREG(file.stat().st_mode):
            raise InvalidSettings(f"the configuration file {file} is no regular file; name one")
        return TomlConfigSettingsSource(settings_class, file)
    except OSError as error:
        raise InvalidSettings(f"the configuration file {file} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise InvalidSettings(f"the configuration file {file} is not TOML: {error}") from None
