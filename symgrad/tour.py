"""`symgrad demo`: a tour of the verbs on two built-in specs, which leaves its files to look at.

Every line that begins with `$ ` is a command that would print or write the same by itself.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn
from rich.rule import Rule
from rich.syntax import Syntax
from rich.text import Text

from symgrad import api
from symgrad.emit.templates_dir import templates_dir
from symgrad.errors import Place, SymgradError
from symgrad.generated_tree import existing_folder, write_whole
from symgrad.listing import count
from symgrad.spec import Spec
from symgrad.verify.report import rendered, text_of, verdict_line
from symgrad.verify.verdict import Report

BIAS, POLE = "one_bias", "cartpole_reinforce"
SCRIPT = f"train_{BIAS}.py"
LESSON = "The lesson's two visits"
"""The part of the derivation that is shown."""

WIDTH = 100
"""Of a derivation in a file, as `symgrad derive -o` writes it."""

VISIT = re.compile(r"visit +([\d,]+) of ([\d,]+)")
"""How the script says how far it is."""


def coloured(code: str, language: str) -> Text:
    """Code in the colours of the terminal."""
    text = Syntax("", language, theme="ansi_dark", background_color="default").highlight(code)
    text.rstrip()
    return text


@dataclass(frozen=True)
class Tour:
    """Where it prints, and where its files go."""

    console: Console
    folder: Path

    def heading(self, title: str) -> None:
        self.console.print()
        if len(title) + 4 > self.console.width:  # a rule would cut it
            self.lines(textwrap.wrap(title, self.console.width), "bold")
        else:
            self.console.print(Rule(Text(title, style="bold"), align="left", style="cyan"))

    def say(self, text: str) -> None:
        self.lines(textwrap.wrap(text, self.console.width, break_on_hyphens=False))

    def command(self, *words: str | Path) -> None:
        """A command as one would type it."""
        line = Text(f"$ {shlex.join(str(word) for word in words)}", style="bold green")
        self.console.print()
        self.console.print(line, soft_wrap=True)

    def lines(self, lines: Iterable[str], style: str = "") -> None:
        """As they stand: a terminal that is too narrow wraps them by itself."""
        for line in lines:
            self.console.print(Text(line, style=style), soft_wrap=True)

    def report(self, report: Report) -> None:
        """As `symgrad check` prints it."""
        if self.console.is_terminal:
            self.console.print(rendered(report, self.console.width))
        else:
            self.lines(text_of(report, self.console.width).splitlines())

    def code(self, lines: Iterable[str], language: str) -> None:
        self.console.print(coloured("\n".join(lines), language), soft_wrap=True)

    def put(self, name: str, text: str) -> Path:
        """The file with this text; another text in its place is left alone."""
        path = self.folder / name
        try:
            held = path.read_bytes() if path.exists() else None
        except OSError as error:
            place = Place(str(path))
            raise SymgradError(f"cannot be read: {error.strerror or error}", place) from None
        if held is not None and held != text.encode("utf-8"):
            what = "exists, and is not what the demo writes; move it away, or name another folder"
            raise SymgradError(f"{what} with -o", Place(str(path)))
        if held is None:
            write_whole(path, text)
        return path


def run(console: Console, folder: Path) -> int:
    """The tour. Returns the exit code: 0 where both gradients pass their checks."""
    existing_folder(folder.parent)
    if not folder.exists():
        try:
            folder.mkdir()
        except OSError as error:
            place = Place(str(folder))
            raise SymgradError(f"cannot be made: {error.strerror}", place) from None
    existing_folder(folder)
    tour = Tour(console, folder)
    tour.say(
        "symgrad takes a network and its loss, written as equations, and makes a derivation to"
        f" read, a NumPy module to import, and a check of its gradient. All files: {folder}/"
    )
    reports = [_one_bias(tour), _cartpole(tour)]
    _files(tour)
    return max(report.exit_code for report in reports)


def _one_bias(tour: Tour) -> Report:
    """Derive, generate, check and train the network with a single parameter."""
    spec = api.load(BIAS)
    tour.heading("1. A network and its loss are equations")
    tour.say(f"{spec.description} Source: {spec.origin}.")
    tour.command("symgrad", "new", tour.folder / f"{BIAS}.toml", "--from", BIAS)
    tour.put(f"{BIAS}.toml", spec.source)
    lines = spec.source.splitlines()
    start = lines.index('equations = """') + 1
    tour.code(lines[start : lines.index('"""', start)], "python")

    tour.heading("2. Derive: the chain rule, with numbers")
    derivation = api.derive(spec)
    path = tour.put(f"{BIAS}.txt", f"{derivation.text(WIDTH).rstrip()}\n")
    tour.command("symgrad", "derive", BIAS, "-o", path)
    steps = len(derivation.steps)
    tour.say(f"All of its {steps} steps are there. Those with the lesson's own numbers:")
    tour.lines(_section(derivation.text(tour.console.width), LESSON))

    tour.heading("3. Generate: a module of NumPy alone")
    text, path = _generated(tour, spec)
    tour.say(f"The heart of its {len(text.splitlines())} lines, in value_and_grad:")
    tour.code(_heart(text), "python")

    tour.heading("4. Check: against 60-digit differences")
    report = _checked(tour, path)
    tour.report(report)

    tour.heading("5. Train, with the generated module")
    script = (templates_dir() / "tour" / SCRIPT).read_text(encoding="utf-8")
    path = tour.put(SCRIPT, script)
    tour.command("python", path)
    _train(tour, path)
    return report


def _cartpole(tour: Tour) -> Report:
    """Generate and check a policy of two hidden layers."""
    spec = api.load(POLE)
    tour.heading("6. The same for a network: CartPole")
    tour.say(f"{spec.description} {count(spec)} parameters.")
    tour.command("symgrad", "new", tour.folder / f"{POLE}.toml", "--from", POLE)
    tour.put(f"{POLE}.toml", spec.source)
    lines = spec.source.splitlines()
    tour.code(lines[lines.index("[networks.policy]") :], "toml")
    _, path = _generated(tour, spec)
    report = _checked(tour, path)
    tour.console.print(verdict_line(report))
    return report


def _generated(tour: Tour, spec: Spec) -> tuple[str, Path]:
    tour.command("symgrad", "generate", spec.name, "-o", tour.folder)
    text = api.generate(spec)
    return text, tour.put(f"{spec.name}.py", text)


def _checked(tour: Tour, path: Path) -> Report:
    tour.command("symgrad", "check", path)
    return api.check(path)


def _train(tour: Tour, script: Path) -> None:
    """Runs the script; a bar follows what it says."""
    columns = (TextColumn("training"), BarColumn(), TaskProgressColumn())
    process = subprocess.Popen(
        [sys.executable, str(script)],
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    )
    said, hidden = "", not tour.console.is_interactive
    with process, Progress(*columns, console=tour.console, disable=hidden) as progress:
        bar = progress.add_task("training", total=None)
        for line in process.stdout or ():
            said = line.rstrip()
            tour.lines([said])
            if found := VISIT.match(said):
                done, total = (int(number.replace(",", "")) for number in found.groups())
                progress.update(bar, completed=done, total=total)
    if process.returncode:
        raise SymgradError(f"the training failed: {said or process.returncode}", Place(str(script)))


FILES = (
    (f"{BIAS}.toml", "the equations, to change"),
    (f"{BIAS}.txt", "their derivation"),
    (f"{BIAS}.py", "their module"),
    (SCRIPT, "a training loop: NumPy and the module"),
    (f"{POLE}.toml", "the policy"),
    (f"{POLE}.py", "its module"),
)
NEXT = (
    ("symgrad list", "all built-in specs"),
    ("symgrad new mine", "a commented spec of your own: mine.toml"),
    ("symgrad check mine.toml", "the verdict on it"),
)


def _files(tour: Tour) -> None:
    tour.heading("Where the files are, and what is next")
    rows = [(str(tour.folder / name), about) for name, about in FILES]
    for part in (rows, NEXT):
        wide = max(len(name) for name, _ in part)
        fits = max(wide + 2 + len(about) for _, about in part) <= tour.console.width
        tour.console.print()
        for name, about in part:
            line = [f"{name:{wide}}  {about}"] if fits else [name, f"    {about}"]
            tour.lines(line)


def _section(text: str, title: str) -> list[str]:
    """A section of a derivation, without its title."""
    lines = text.splitlines()
    start = lines.index(title) + 2
    ends = (n - 1 for n, line in enumerate(lines) if n > start and set(line) == {"-"})
    return "\n".join(lines[start : next(ends, len(lines))]).strip().splitlines()


def _heart(text: str) -> list[str]:
    """value_and_grad from its first equation to its return."""
    lines = text.splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith("def value_and_grad("))
    first = next(n for n, line in enumerate(lines) if n > start and line.startswith("    # "))
    return lines[first : lines.index("", first)]
