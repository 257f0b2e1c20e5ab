"""Loads settings; what is unknown or wrong is refused by a sentence that names it and where it came from."""

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from gmv.errors import InvalidSettings
from gmv.settings.all import PREFIX, Settings, fields_by_name, redact, variable_of
from gmv.settings.section import IN_WORDS

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

CONFIG_VARIABLE = "GMV_CONFIG"


def load(
    config: Path | None = None,
    flags: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Settings:
    """Merge defaults, the TOML file, the environment and the flags, the later winning.

    Args:
        config: TOML with a table per section; where None, `GMV_CONFIG` may name one.
        flags: dotted name ("ledger.url") -> value; None values are flags that were not given.
        environment: defaults to `os.environ`. `GMV_LEDGER_URL` sets `ledger.url`; an empty value sets nothing.

    Raises:
        InvalidSettings: a key is unknown or a value is wrong; the sentence names it and where it came from.
    """
    from gmv.settings.sources import merge

    environment = os.environ if environment is None else environment
    variables = {name: value for name, value in environment.items() if name.startswith(PREFIX) and value}
    variable_file = variables.pop(CONFIG_VARIABLE, None)
    given = _Given(
        flags={name: value for name, value in (flags or {}).items() if value is not None},
        variables=variables,
        file=config or (Path(variable_file) if variable_file else None),
    )
    _refuse_unknown(given)
    try:
        return merge(given.flags, given.variables, given.file)
    except ValidationError as error:
        problems = error.errors(include_url=False)
        raise InvalidSettings("; ".join(map(given.explain, problems))) from None


@dataclass(frozen=True)
class _Given:
    """What was given: flags by dotted name, variables by theirs, and the file."""

    flags: Mapping[str, Any]
    variables: Mapping[str, str]
    file: Path | None

    def explain(self, problem: "ErrorDetails") -> str:
        name = ".".join(map(str, problem["loc"][:2]))
        if problem["type"] == "extra_forbidden":  # without its value, which may be a secret put in a wrong place
            return f"the file {self.file} sets {_unknown(name)}"
        return f"{self._origin(name)} sets {name} to {redact(repr(problem['input']))}: {_wish(problem)}"

    def _origin(self, name: str) -> str:
        if name in self.flags:
            return "the command line"
        if (variable := variable_of(name)) in self.variables:
            return f"the environment variable {variable}"
        return f"the file {self.file}"


def _wish(problem: "ErrorDetails") -> str:
    match problem["type"]:
        case "model_type":
            return "it should be a table"
        case "string_pattern_mismatch":
            return f"it should be {IN_WORDS[problem['ctx']['pattern']]}"
    return re.sub(r"^\w+ should", "it should", problem["msg"])


def _refuse_unknown(given: _Given) -> None:
    """Refuse flags and variables that would set nothing: a misspelt one must not leave a default in force unnoticed."""
    names = list(fields_by_name())
    known = [CONFIG_VARIABLE, *map(variable_of, names)]
    problems = [f"the command line sets {_unknown(name)}" for name in given.flags if name not in names]
    problems += [
        f"the environment variable {name} sets nothing{_did_you_mean(name, known)}"
        for name in given.variables
        if name not in known
    ]
    if problems:
        raise InvalidSettings("; ".join(problems))


def _unknown(name: str) -> str:
    return f"{name}, which is no setting of gmv{_did_you_mean(name, fields_by_name())}"


def _did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return the known name that is most like the given one, as the end of a sentence; "" where none is."""
    closest = get_close_matches(name, list(known), n=1)
    return f" (did you mean {closest[0]}?)" if closest else ""
