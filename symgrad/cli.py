"""The command line: derive, generate, check; list, show and new; demo.

Exit codes: 0 done or PASS; 1 FAIL or stale; 2 usage, bad input or cannot write; 3 INCONCLUSIVE.
Commands import what they need when they run, so that `symgrad --help` starts fast.
"""

from __future__ import annotations

import io
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from symgrad.errors import Place, SymgradError
from symgrad.usage import Group
from symgrad.version import VERSION

if TYPE_CHECKING:
    from symgrad.spec import Spec
    from symgrad.verify.verdict import Report

STALE = 1
HERE = Path()
KINDS = ("losses", "layers", "activations", "distributions", "specs")
"""What `list` lists."""

WIDTH = 100
"""Of a derivation that does not go to a terminal."""


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="symgrad", message="%(prog)s %(version)s")
def main() -> None:
    """Neural networks and losses, written as equations.

    SPEC is the path of a .toml file or the name of a built-in spec (see `symgrad list`).
    To begin: symgrad demo.
    """
    if sys.stdout is None:  # as after `symgrad list >&-`
        raise SymgradError("cannot write: standard output is closed")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal that knows only ASCII still gets all
            stream.reconfigure(errors="backslashreplace")


@main.command("list")
@click.argument("kind", type=click.Choice(KINDS), default=KINDS[-1])
@click.option("--json", "as_json", is_flag=True, help="As a list of JSON objects.")
@click.option(
    "--page",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Write all kinds to FILE as one Markdown page.",
)
@click.option("--check", "compare", is_flag=True, help="With --page: exit 1 where FILE is stale.")
@click.pass_context
def list_rows(
    ctx: click.Context, kind: str, as_json: bool, page: Path | None, compare: bool
) -> None:
    """What a spec can name, and the built-in specs.

    KIND is losses, layers, activations, distributions or specs: names, formulas, sources.
    Without one it is specs.
    """
    from symgrad import listing

    named = ctx.get_parameter_source("kind") is not click.core.ParameterSource.DEFAULT
    if page is not None:
        if named or as_json:
            raise click.UsageError("--page writes all kinds: it takes --check alone")
        _page(page, compare)
        return
    if compare:
        raise click.UsageError("--check compares a page: name it with --page FILE")
    if as_json:
        click.echo(listing.to_json(kind))
        return
    terminal = sys.stdout.isatty()
    wide = shutil.get_terminal_size().columns if terminal else None
    click.echo(listing.listing(kind, wide), nl=False)
    if terminal and not named:
        click.echo(f"\nalso: symgrad list {'|'.join(KINDS[:-1])}")


def _page(path: Path, compare: bool) -> None:
    """Writes the catalogue's page, or says whether it is the one that the rows make."""
    from symgrad import catalogue_page
    from symgrad.generated_tree import write_whole

    text = catalogue_page.page()
    if not compare:
        write_whole(path, text)
        click.echo(f"wrote {path}")
        return
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        click.echo(f"stale: {path}; to mend it: symgrad list --page {shlex.quote(str(path))}")
        sys.exit(STALE)
    click.echo(f"{path} is up to date")


@main.command()
@click.argument("spec")
def show(spec: str) -> None:
    """Print SPEC's text."""
    loaded, _ = _loaded(spec)
    if not sys.stdout.isatty():
        click.echo(loaded.source, nl=False)
        return
    from rich.console import Console

    from symgrad.tour import coloured

    Console().print(coloured(loaded.source, "toml"), soft_wrap=True)


@main.command()
@click.argument("name")
@click.option("--from", "model", metavar="SPEC", help="Copy this one.")
def new(name: str, model: str | None) -> None:
    """Write a commented starting spec, NAME.toml.

    Or a copy of another. A file that is there already is left alone.
    """
    from symgrad import starting

    path = starting.new_path(name)
    text = starting.first_text(path.stem) if model is None else _loaded(model)[0].source
    starting.write_new(path, text)
    click.echo(f"wrote {path}; next: {shlex.join(['symgrad', 'check', str(path)])}")


@main.command()
@click.option(
    "-o",
    "--output",
    metavar="DIR",
    type=click.Path(path_type=Path),
    default=Path("symgrad-demo"),
    show_default=True,
    help="Where its files go; made if need be.",
)
def demo(output: Path) -> None:
    """A tour in seconds: derive, generate, check and train."""
    from rich.console import Console

    from symgrad import tour

    wide = shutil.get_terminal_size((WIDTH, 24)).columns
    console = Console(width=wide, markup=False, highlight=False, emoji=False)
    sys.exit(tour.run(console, output))


@main.command()
@click.argument("spec")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown", "latex"]),
    default="text",
    show_default=True,
    help="How the derivation is written.",
)
@click.option("--wrt", metavar="NAME", help="One tensor: only the path to it is shown.")
@click.option("--loss", metavar="NAME", help="Which loss, where SPEC has several.")
@click.option(
    "--at",
    metavar="VALUES.toml",
    type=click.Path(path_type=Path),
    help="Values of sizes, parameters and data: every step gets its numbers.",
)
@click.option("--element", metavar='"W[0,2]"', help="One entry: its gradient factor by factor.")
@click.option("--limit", is_flag=True, help="And its difference quotient as h goes to 0.")
@click.option(
    "--compare-full",
    is_flag=True,
    help="The gradient beside the one with nothing held constant by stop.",
)
@click.option(
    "-o", "--output", metavar="FILE", type=click.Path(path_type=Path), help="Write to a file."
)
def derive(
    spec: str,
    form: str,
    wrt: str | None,
    loss: str | None,
    at: Path | None,
    element: str | None,
    limit: bool,
    compare_full: bool,
    output: Path | None,
) -> None:
    """Explain the gradient of SPEC, step by step.

    A spec may bring numbers of its own; --at goes before them.
    """
    from symgrad.explain import compare
    from symgrad.explain.build import explain
    from symgrad.explain.values import load_values
    from symgrad.generated_tree import write_whole

    if compare_full and (wrt or at or element or limit):
        raise click.UsageError(
            "--compare-full is about a whole loss: it takes --loss, --format, -o"
        )
    loaded, place = _loaded(spec)
    with _at(place):
        if compare_full:
            derivation = compare.compare_full(loaded, loss)
        else:
            given = None if at is None else load_values(at, loaded)
            derivation = explain(loaded, loss, wrt, at=given, element=element, limit=limit)
    wide = shutil.get_terminal_size().columns if output is None and sys.stdout.isatty() else WIDTH
    if form == "text":
        text = derivation.text(wide)
    else:
        text = derivation.markdown() if form == "markdown" else derivation.latex(document=True)
    text = text.rstrip("\n") + "\n"
    if output is None:
        click.echo(text, nl=False)
    else:
        write_whole(output, text)


@main.command()
@click.argument("spec", required=False)
@click.option(
    "-o",
    "--output",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="The folder to write to; the current one where nothing is said.",
)
@click.option("--all", "every", is_flag=True, help="Rebuild generated/ from all built-in specs.")
@click.option(
    "--check", "compare", is_flag=True, help="Write nothing; exit 1 where a file is stale."
)
@click.option("--backend", metavar="NAME", help="What writes the module; numpy by default.")
@click.option(
    "--with",
    "listed",
    metavar="NAMES",
    help="Products beside the gradients: jvp, hvp, ggn, fvp; or actor_hvp, of one loss.",
)
def generate(
    spec: str | None,
    output: Path | None,
    every: bool,
    compare: bool,
    backend: str | None,
    listed: str | None,
) -> None:
    """Write SPEC's NumPy module, DIR/NAME.py."""
    from symgrad import generated_tree
    from symgrad.emit.backends import DEFAULT, backend_of

    if every == (spec is not None):
        raise click.UsageError("name one SPEC, or say --all")
    if every and backend is not None:
        raise click.UsageError("--all writes the modules of every backend; leave --backend out")
    if every and listed is not None:
        raise click.UsageError('--all writes what the specs say; a spec says with = ["hvp"]')
    products = [name.strip() for name in (listed or "").split(",") if name.strip()]
    row, more = backend_of(backend or DEFAULT), list[str]()
    if spec is None:
        folder = generated_tree.source_tree() if output is None else output
        generated_tree.existing_folder(folder.parent if output is None else folder)
        files = generated_tree.tree()
    else:
        folder = generated_tree.existing_folder(output or HERE)
        loaded, place = _loaded(spec)
        name = f"{loaded.name}{row.suffix}"
        with _at(place):
            asked = loaded.having(products)
            if compare and not products:
                from symgrad.stated import with_stated

                asked = with_stated(asked, folder / name)
            text = generated_tree.module_of(asked, backend=row.name)
        more = [name for name in asked.product_names if name not in loaded.product_names]
        files = {name: text}
    if compare:
        options = {"-o": output, "--backend": backend, "--with": ",".join(more)}
        _compare(folder, files, spec, {name: str(said) for name, said in options.items() if said})
    elif spec is None:
        for path in generated_tree.write_tree(folder, files):
            click.echo(f"note: {folder / path} belongs to no spec", err=True)
        click.echo(f"wrote {len(files)} files to {folder}")
    else:
        for path, text in files.items():
            generated_tree.write_module(folder / path, text)
            click.echo(f"wrote {folder / path}")


def _compare(
    folder: Path, files: Mapping[str, str], spec: str | None, options: Mapping[str, str]
) -> None:
    """Prints how the disk differs and what mends it; exit 1 if it does."""
    from symgrad import generated_tree

    found = generated_tree.differences(folder, files, whole=spec is None)
    for difference in found:
        if difference.what != "missing":  # all of it would be a diff without a line to compare
            click.echo(difference.diff, nl=False)
    lines = [f"{difference.what}: {folder / difference.path}" for difference in found]
    # What a rebuild would not touch has to be removed by hand.
    kept = {d.path for d in found if d.what == "orphaned"} - generated_tree.listed(folder)
    commands = [shlex.join(["rm", str(folder / path)]) for path in sorted(kept)]
    if any(d.path not in kept for d in found):
        said = [part for option in options.items() for part in option]
        commands.append(shlex.join(["symgrad", "generate", spec or "--all", *said]))
    if found:
        mend = f"to mend it: {' && '.join(commands)}"
        alone = spec is not None and found[0].what == "missing"
        click.echo("; ".join([*lines, mend]) if alone else "\n".join([*lines, mend]))
        sys.exit(STALE)
    click.echo(f"{len(files)} {'file is' if len(files) == 1 else 'files are'} up to date")


@main.command()
@click.argument("subjects", metavar="SPEC|MODULE.py...", nargs=-1)
@click.option("--all", "every", is_flag=True, help="All built-in specs.")
@click.option("--json", "as_json", is_flag=True, help="What came of it, as one JSON object.")
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the inputs."
)
@click.option(
    "--plot",
    "picture",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Error against step for the worst entries, as .png or .svg (needs matplotlib).",
)
def check(
    subjects: tuple[str, ...], every: bool, as_json: bool, seed: int, picture: Path | None
) -> None:
    """Compare the gradient with finite differences.

    The emitted code is run, and its results are compared with an independent evaluation of the
    equations. A MODULE.py is checked against the SPEC that it states, and is executed: check only
    files that you would run. Exit code 0 is PASS, 1 FAIL, 3 INCONCLUSIVE; of several, the worst.
    """
    if every == bool(subjects):
        raise click.UsageError("name a SPEC or a MODULE.py, or say --all")
    if picture is not None and (every or len(subjects) > 1):
        raise click.UsageError("--plot draws one check; name one SPEC or MODULE.py")
    if every or len(subjects) > 1:
        _check_several(subjects, as_json, seed)
    from symgrad import api, terminal

    (subject,) = subjects
    draw = None if picture is None else _plotter(picture)
    with terminal.progress() as watch:
        if subject.endswith(".py"):
            report = api.check(subject, seed=seed, draw=draw is not None, watch=watch)
        else:
            loaded, place = _loaded(subject)
            with _at(place):
                report = api.check(loaded, seed=seed, draw=draw is not None, watch=watch)
    if draw is not None:
        draw(report)
    if as_json:
        click.echo(report.to_json())
    else:
        from symgrad.verify.report import rendered

        terminal.show(lambda width: rendered(report, width))
    sys.exit(report.exit_code)


def _check_several(subjects: Sequence[str], as_json: bool, seed: int) -> NoReturn:
    """One after another, as many at a time as there are cores; all of the catalogue if none."""
    from symgrad import several, terminal
    from symgrad.verify.report import rendered_all
    from symgrad.verify.verdict import EXIT_CODES, worst_of

    for subject in subjects:  # what cannot be read costs no check of the others
        if not subject.endswith(".py"):
            _loaded(subject)
    chosen = subjects or several.computing()
    with terminal.progress() as watch:
        if watch is not None:
            watch(len(chosen), "")
        reports = several.reports(chosen, seed, watch)
    if as_json:
        click.echo(several.to_json(reports))
    else:
        terminal.show(lambda width: rendered_all(reports, width))
    sys.exit(EXIT_CODES[worst_of(report.verdict for report in reports)])


def _plotter(path: Path) -> Callable[[Report], None]:
    """What draws a report into a file; found before the check, so that a wrong name costs none."""
    try:
        from symgrad.verify.plot import checked_path, plot
    except ModuleNotFoundError as error:
        raise SymgradError(
            f"--plot needs {error.name}: install symgrad with its extra `plot`"
        ) from None
    where = checked_path(path)
    return lambda report: plot(report, where)


@contextmanager
def _at(place: Place) -> Iterator[None]:
    """An error that does not know its place stands here."""
    try:
        yield
    except SymgradError as error:
        raise error.at(place) from None


FLAT = (
    'loss "{}" does not move with {}: its gradient is 0 everywhere; stop(...), argmax, sign and '
    "conditions pass none on"
)


def _loaded(source: str) -> tuple[Spec, Place]:
    """A spec, and where errors about all of it stand."""
    from symgrad.algebra.depends import depends
    from symgrad.catalog.builtin import SUFFIX, names, spec_path
    from symgrad.spec import load

    path = spec_path(source)
    if source in names() and Path(f"{source}{SUFFIX}").is_file():
        click.echo(f"note: {source} is the built-in spec; the file is {source}{SUFFIX}", err=True)
    spec = load(path)
    place = Place(ascii(source)[1:-1])
    for _, note in spec.unneeded:
        click.echo(f"note: {note}", err=True)
    for loss in spec.losses:
        if not depends(loss.program, loss.value, loss.wrt):
            click.echo(f"note: {place}: {FLAT.format(loss.name, ', '.join(loss.wrt))}", err=True)
    return spec, place
