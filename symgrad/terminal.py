"""What the command line shows: reports in colour or plain, a bar while it works."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click
from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from symgrad.verify.report import WIDTH, plain


def show(rendered: Callable[[int], RenderableType]) -> None:
    """With colours and as wide as the terminal; as plain text where there is none."""
    if sys.stdout.isatty():
        console = Console()
        console.print(rendered(console.width))
    else:
        click.echo(plain(rendered(WIDTH), WIDTH).rstrip("\n"))


@contextmanager
def progress() -> Iterator[Callable[[int, str], None] | None]:
    """A bar of the blocks compared, on a terminal; it leaves nothing behind."""
    if not sys.stderr.isatty():
        yield None
        return
    columns = (TextColumn("{task.description:12.12}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("check", total=0)
        total = 0

        def watch(more: int, name: str) -> None:
            nonlocal total
            if more > 0:
                total += more
                bar.update(task, total=total)
            else:
                bar.update(task, advance=-more, description=name)

        yield watch
