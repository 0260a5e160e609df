"""`%anonrun` and `%%anonrun`: start a run, show it, and ask about it.

`%load_ext anonrun` makes them known. A wrong flag is answered by one line that says what is allowed; no
magic ever ends in a traceback of ours. Nothing that they show holds a secret, except the link that
`%anonrun share` was asked for.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import difflib
import shlex
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NoReturn

from IPython.core.error import UsageError as ShellUsageError
from IPython.core.magic import Magics, line_cell_magic, magics_class

from anonrun.client.run import Run
from anonrun.client.session import the_session
from anonrun.errors import AnonrunError
from anonrun.notebook.commands import COMMANDS
from anonrun.notebook.display import kernel, mimebundle, show
from anonrun.notebook.hosts import DISPLAYS, Display
from anonrun.notebook.widget import prepare_widget

__all__ = ["AnonrunMagics", "load", "unload"]

_USAGE = """%anonrun [--project P] [--name N] [--server URL] …   start a run and show it
%%anonrun [the same options]                         the run lasts as long as the cell
%anonrun status | share | claim | export | delete --yes | finish | off"""


@dataclass(frozen=True, slots=True, kw_only=True)
class StartOptions:
    """What a run is started with; None leaves it to `anonrun.init`."""

    project: str | None
    name: str | None
    server: str | None
    id: str | None
    anonymous: str | None
    tags: list[str] | None
    notes: str | None
    display: Display | None
    height: int | None
    key_metrics: list[str] | None
    total: object
    console: bool | None
    reference: str | None
    compare: list[str] | None

    def for_init(self) -> dict[str, Any]:
        """Return the arguments of `anonrun.init` that were given."""
        names = ("project", "name", "server", "id", "anonymous", "tags", "notes", "total", "console")
        return {name: value for name in names if (value := getattr(self, name)) is not None}


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line instead of ending the process."""

    def error(self, message: str) -> NoReturn:
        raise ShellUsageError(f"%anonrun: {message}. Try %anonrun --help")

    def flags(self) -> list[str]:
        return [flag for action in self._actions for flag in action.option_strings]


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _height(text: str) -> int:
    if not text.isdecimal() or not 100 <= int(text) <= 10_000:  # noqa: PLR2004  said in the message
        raise argparse.ArgumentTypeError(f"{text!r} is no height in pixels from 100 to 10000")
    return int(text)


def _total(text: str) -> object:
    """Return a number where it is one, so that `1e5` and `10_000` are; else the text, which `init` warns of."""
    for read in (int, float):
        with contextlib.suppress(ValueError, OverflowError):
            return read(text)
    return text


def _start_parser() -> _Parser:
    parser = _Parser(prog="%anonrun", add_help=False, allow_abbrev=False, usage=_USAGE.replace("%", "%%"))
    parser.add_argument("-h", "--help", action="store_true", help="show this text")
    parser.add_argument("-p", "--project", help="project of the run")
    parser.add_argument("-n", "--name", help="its name, for people")
    parser.add_argument("--id", help="its short name in links; chosen for you where it is not given")
    parser.add_argument("--server", metavar="URL", help="a server other than the one on this machine")
    parser.add_argument("--anonymous", choices=("allow", "must", "never"), help="whether an account is used or needed")
    parser.add_argument("--tag", action="append", dest="tags", metavar="TAG", help="a tag; may be given several times")
    parser.add_argument("--notes", help="a sentence about the run")
    parser.add_argument("--total", type=_total, metavar="N", help="steps that the training will make")
    parser.add_argument("--console", action="store_true", default=None, help="keep what is printed with the run")
    parser.add_argument("--display", choices=DISPLAYS, help="how it is shown; chosen by the host where not given")
    parser.add_argument("--height", type=_height, metavar="PX", help="height of the widget in pixels")
    parser.add_argument("--key-metrics", type=_names, metavar="A,B", help="metrics whose charts stand first")
    parser.add_argument("--reference", metavar="FILE", help="a reference file, or a view link, drawn behind the run")
    parser.add_argument("--compare", action="append", metavar="RUN", help="a run, by id or name, drawn behind")
    return parser


def _parse_start(parser: _Parser, words: Sequence[str]) -> argparse.Namespace:
    options, rest = parser.parse_known_args(words)
    if rest:
        near = difflib.get_close_matches(rest[0].partition("=")[0], [*COMMANDS, *parser.flags()], n=1)
        hint = f"did you mean {near[0]}?" if near else "see %anonrun --help."
        raise ShellUsageError(f"%anonrun does not know {rest[0]!r}; {hint}")
    return options


def _without_comment(line: str) -> str:
    """Return a line up to its comment: a `#` within a word or a quotation begins none, such as that of a link."""
    quote, before = "", " "
    for i, char in enumerate(line):
        if before == "\\" and quote != "'":
            char = "\0"  # noqa: PLW2901  escaped, so it means nothing
        elif quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif char == "#" and before.isspace():
            return line[:i]
        before = char
    return line


def _words(line: str) -> list[str]:
    try:
        return shlex.split(_without_comment(line))
    except ValueError as exc:
        raise ShellUsageError(f"%anonrun cannot read this line: {exc}; close the quotation mark.") from exc


@magics_class
class AnonrunMagics(Magics):  # type: ignore[misc]  # IPython has no types
    """The magics of one shell."""

    @line_cell_magic("anonrun")  # type: ignore[untyped-decorator]  # IPython has no types
    def anonrun(self, line: str, cell: str | None = None) -> None:
        """Start a run and show its live charts; `%anonrun --help` tells more."""
        __tracebackhide__ = True  # a traceback shows the user's lines, not ours
        with _said_plainly():
            options = self._options(line, cell)
            if options is None:
                return
            body = None if cell is None else _Body(self.shell, cell)
            run = self._start(options)
        if body is not None:
            self._run_cell(run, body)

    def _options(self, line: str, cell: str | None) -> StartOptions | None:
        """Return with what to start a run, or None where the line was a command, which is done then."""
        words = _words(line)
        if words and not words[0].startswith("-"):
            self._command(words, cell)
            return None
        parser = _start_parser()
        options = _parse_start(parser, words)
        if options.help:
            print(parser.format_help())  # noqa: T201  that is what was asked for
            return None
        del options.help
        return StartOptions(**vars(options))

    def _command(self, words: list[str], cell: str | None) -> None:
        command = COMMANDS.get(words[0])
        if command is None:
            _parse_start(_start_parser(), words)  # which says what is near
        elif cell is not None:
            raise ShellUsageError(f"%%anonrun starts a run for this cell; for {words[0]!r} use %anonrun {words[0]}.")
        else:
            command(words[1:])

    def _start(self, options: StartOptions) -> Run:
        kernel().auto = True
        the_session.finish()
        draws = kernel().draws or options.display is not None
        with kernel().quiet():
            run = the_session.init(announce=not draws, **options.for_init())
        if draws:
            show(
                run,
                display=options.display,
                height=options.height,
                key_metrics=options.key_metrics,
                reference=options.reference,
                compare=options.compare or (),
                server=options.server,
            )
        return run

    def _run_cell(self, run: Run, body: Callable[[], None]) -> None:
        __tracebackhide__ = True
        try:
            body()
        except BaseException as exc:  # an interrupt, too, marks the run failed, and goes on to the user
            run.note_failure(exc)
            run.finish(exit_code=1)
            raise
        run.finish()


@contextlib.contextmanager
def _said_plainly() -> Iterator[None]:
    """Turn our own errors into one line, as IPython prints it for a magic that was used wrongly."""
    try:
        yield
    except AnonrunError as exc:
        raise ShellUsageError(f"anonrun: {exc}") from exc


class _Body:
    """A cell's code, run as IPython would: magics work, and a last expression is displayed."""

    def __init__(self, shell: Any, cell: str) -> None:  # noqa: ANN401  IPython has no types
        __tracebackhide__ = True
        self._shell = shell
        source = shell.transform_cell(cell)
        name = shell.compile.cache(source, shell.execution_count, raw_code=cell)
        tree = shell.transform_ast(shell.compile.ast_parse(source, filename=name))
        last = [tree.body.pop()] if tree.body and isinstance(tree.body[-1], ast.Expr) else []
        self._parts = [compile(tree, name, "exec", flags=shell.compile.flags)]
        self._parts += [compile(ast.Interactive(last), name, "single", flags=shell.compile.flags)] if last else []

    def __call__(self) -> None:
        __tracebackhide__ = True
        for part in self._parts:
            exec(part, self._shell.user_global_ns, self._shell.user_ns)  # noqa: S102  it is the user's own cell


@cache
def _watch_starts() -> None:
    the_session.on_start(lambda run: kernel().started(run))


def load(ipython: Any) -> None:  # noqa: ANN401  IPython has no types
    """Make the magics known to a shell, and show runs that `anonrun.init` starts from now on."""
    ipython.register_magics(AnonrunMagics)
    ipython.display_formatter.mimebundle_formatter.for_type(Run, lambda run, **_options: mimebundle(run))
    kernel().auto = True
    _watch_starts()
    with _said_plainly():
        draws = kernel().draws
    if draws:
        # While init waits for the server, so that the first chart is there the sooner.
        threading.Thread(target=prepare_widget, name="anonrun-prepare", daemon=True).start()


def unload(_ipython: Any) -> None:  # noqa: ANN401  IPython has no types
    """Show no run by itself any more."""
    kernel().auto = False
