"""Takes each protection away in turn: `python -m tests.mutations --help`."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TextColumn

from .catalogue import MUTATIONS
from .mutation import Mutation, PatchFailed
from .runner import NotJudged, Tree, Verdict, copied_tree
from .table import as_markdown, merged, rows_in, rows_of

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    only: Annotated[str, typer.Option(help="Those alone whose name or file holds this text.")] = "",
    markdown: Annotated[Path | None, typer.Option(help="Write the table there; other rows in it stay.")] = None,
) -> None:
    """Tests that can fail. Exits 1 if a mutation survives, and 2 if one cannot be judged."""
    chosen = [each for each in MUTATIONS if only in each.protection or only in each.file]
    with copied_tree() as tree:
        verdicts, complaints = _judge_all(tree, chosen)
    rows = rows_of(verdicts)
    sys.stdout.write(as_markdown(rows.values()))
    if markdown is not None:
        markdown.write_text(as_markdown(merged(rows_in(markdown), rows, MUTATIONS)), encoding="utf-8")
    sys.stderr.write("".join(f"{complaint}\n" for complaint in complaints))
    if complaints:
        raise typer.Exit(2)
    if not all(verdict.caught_by for verdict in verdicts):
        raise typer.Exit(1)


def _judge_all(tree: Tree, mutations: list[Mutation]) -> tuple[list[Verdict], list[str]]:
    """Return what became of the mutations, and why some could not be judged."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description:<90}"), MofNCompleteColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        passing, verdicts, complaints = set(), [], []
        tests = dict.fromkeys(mutation.caught_by for mutation in mutations)
        for test in progress.track(tests, description="tests pass as the code is"):
            code, said = tree.test(test)
            if code == 0:
                passing.add(test)
            else:
                complaints.append(f"without any mutation, {' '.join(test)} exited {code}:\n{said}")
        task = progress.add_task("", total=len(mutations))
        for mutation in mutations:
            progress.update(task, description=mutation.protection)
            if mutation.caught_by in passing:
                try:
                    verdicts.append(tree.judge(mutation))
                except (PatchFailed, NotJudged) as error:
                    complaints.append(str(error))
            progress.advance(task)
        return verdicts, complaints


if __name__ == "__main__":
    app()
