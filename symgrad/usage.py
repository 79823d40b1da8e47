"""What the command line cannot do is one line on stderr and exit code 2, never a traceback.

error: symgrad derive: no option "--fromat"; did you mean "--format"? see symgrad derive --help
"""

from __future__ import annotations

from typing import IO, Any

import click

from symgrad.catalog.builtin import names
from symgrad.errors import SymgradError, nearest

USAGE = 2
FILES = (".toml", ".py")
FIRST = "derive"
"""The verb that is offered where a file came without one."""


def say(line: str) -> None:
    """`error: line` on stderr, with nothing in it that a terminal would obey."""
    plain = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in " ".join(line.split("\n")))
    click.echo(f"{click.style('error:', fg='red')} {plain}", err=True)


class Refused(click.UsageError):
    """A wrong command line in one line, without the usage that click prints before it."""

    def show(self, file: IO[Any] | None = None) -> None:
        say(self.message)


class Group(click.Group):
    """The verbs, in the order they are written. Alone, it shows its help."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        alone = not args and not extra.get("resilient_parsing")
        try:
            return super().make_context(info_name, ["--help"] if alone else args, parent, **extra)
        except click.UsageError as error:
            raise refused(error, "symgrad") from None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if self.get_command(ctx, name) is None and not name.startswith("-"):
            near = nearest(name, self.commands)
            if name.endswith(FILES) or name in names():
                near = f"{ctx.command_path} {FIRST} {name}"
            raise _refusal(ctx.command_path, f'no command "{name}"', near)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            raise refused(error, f"{ctx.command_path} {ctx.invoked_subcommand or ''}") from None
        except SymgradError as error:
            say(str(error))
            ctx.exit(USAGE)
        except BrokenPipeError:  # click ends quietly where nobody reads on
            raise
        except OSError as error:
            say(f"cannot write: {error.strerror}")
            ctx.exit(USAGE)


def refused(error: click.UsageError, path: str) -> Refused:
    """click's own error in the words of all others; path: the verb, where it does not say it."""
    if isinstance(error, Refused):
        return error
    what, near = error.format_message().split("\n")[0].rstrip("."), None
    context, parameter = error.ctx, getattr(error, "param", None)
    if isinstance(error, click.NoSuchOption):
        parameters = context.command.get_params(context) if context else []
        what = f'no option "{error.option_name}"'
        near = nearest(error.option_name, [name for p in parameters for name in p.opts])
    elif isinstance(error, click.MissingParameter) and parameter is not None:
        what = f"{parameter.human_readable_name} is missing"
    elif isinstance(error, click.BadParameter) and parameter is not None:
        what = f"{parameter.opts[0]}: {error.message.rstrip('.')}"
        came = error.message.partition(" is not ")[0]
        if isinstance(parameter.type, click.Choice):
            near = nearest(came.strip("'"), parameter.type.choices)
        elif isinstance(parameter.type, click.IntRange):
            least = f"a whole number of at least {parameter.type.min}"
            what = f"{parameter.opts[0]}: {came} came, and {least} was expected"
    else:
        what = what[:1].lower() + what[1:]
    return _refusal(context.command_path if context else path.strip(), what, near)


def _refusal(path: str, what: str, near: str | None) -> Refused:
    hint = f'; did you mean "{near}"?' if near else ";"
    return Refused(f"{path}: {what}{hint} see {path} --help")
