"""Takes each protection away in turn: `python -m tests.mutations --help`."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TextColumn

from .catalogue import MUTATIONS
from .mutation import Arguments, Mutation, PatchFailed
from .runner import NotJudged, Tree, Verdict, copied_tree

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    only: Annotated[str, typer.Option(help="Those alone whose name or file holds this text.")] = "",
    markdown: Annotated[Path | None, typer.Option(help="Write the table there.")] = None,
) -> None:
    """Tests that can fail. Exits 1 if a mutation survives, and 2 if one cannot be judged."""
    chosen = [each for each in MUTATIONS if only in each.protection or only in each.file]
    try:
        with copied_tree() as tree:
            verdicts = _judge_all(tree, chosen)
    except (PatchFailed, NotJudged) as error:
        sys.stderr.write(f"{error}\n")
        raise typer.Exit(2) from error
    table = as_markdown(verdicts)
    sys.stdout.write(table)
    if markdown is not None:
        markdown.write_text(table)
    if not all(verdict.is_caught for verdict in verdicts):
        raise typer.Exit(1)


def as_markdown(verdicts: list[Verdict]) -> str:
    """Return the table."""
    survivors = sum(not verdict.is_caught for verdict in verdicts)
    lines = [
        f"{len(verdicts)} protections, each taken away; {survivors} survive. Made by `make mutations`.",
        "",
        "| protection | in | caught by | seconds |",
        "|---|---|---|---:|",
    ]
    for verdict in verdicts:
        mutation = verdict.mutation
        test = shown(mutation.caught_by) if verdict.is_caught else "**nothing**"
        lines.append(f"| {mutation.protection} | `{mutation.file}` | {test} | {verdict.seconds:.0f} |")
    return "\n".join(lines) + "\n"


def shown(arguments: Arguments) -> str:
    """Return a test for a reader: the simulator, or files of tests."""
    if "tests.simulator" in arguments:
        return "simulator"
    return ", ".join(f"`{each.removeprefix('tests/')}`" for each in arguments if each.startswith("tests/"))


def _judge_all(tree: Tree, mutations: list[Mutation]) -> list[Verdict]:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description:<90}"), MofNCompleteColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        tests = dict.fromkeys(mutation.caught_by for mutation in mutations)
        for test in progress.track(tests, description="tests pass as the code is"):
            code, said = tree.test(test)
            if code != 0:
                raise NotJudged(f"without any mutation, {' '.join(test)} exited {code}:\n{said}")
        verdicts = []
        task = progress.add_task("", total=len(mutations))
        for mutation in mutations:
            progress.update(task, description=mutation.protection)
            verdicts.append(tree.judge(mutation))
            progress.advance(task)
        return verdicts


if __name__ == "__main__":
    app()
