"""What every command starts from: the settings, the form of the output, and the way errors end.

The command line is imported for each command, its help and each completion in a shell. So its modules import at the top
what only builds the command line, and a command imports what it works with, such as gRPC, when it runs.
"""

import os
import sys
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from poolctl.errors import EXIT_INTERRUPTED, EXIT_USAGE, CommandFailed, UnusableSettings
from poolctl.folder import ENV_FILE, POOL_DIR, pool_folder
from poolctl.rendering.output import Output, View, show

if TYPE_CHECKING:
    from poolctl.settings import PoolctlSettings

T = TypeVar("T")

NAME = "poolctl"

FORMS = click.Choice([each.value for each in Output])
"""The values of --output."""
with_output = click.option(
    "--output",
    "-o",
    type=FORMS,
    callback=lambda _context, _parameter, value: value and Output(value),
    help="Form of the answer: a table for people, json or yaml for programs.",
)
"""The option of every command that prints an answer."""
_MOST = 100_000


def text_option(name: str, **details: Any) -> Callable[[Any], Any]:
    """Return an option whose value is a text, empty where it is not given."""
    return click.option(name, default="", show_default=False, **details)


def limit_option(default: int, text: str) -> Callable[[Any], Any]:
    """Return the option of how many items a list shows."""
    return click.option("--limit", type=click.IntRange(min=1, max=_MOST), default=default, help=text)


@dataclass
class Session:
    """The options that stand before the command."""

    flags: dict[str, str] = field(default_factory=dict)
    """Variable to text."""
    output: Output = Output.TABLE
    verbose: bool = False
    _settings: "PoolctlSettings | None" = None

    @property
    def folder(self) -> Path:
        """The pool's folder."""
        return pool_folder(self.flags, os.environ)

    def settings(self) -> "PoolctlSettings":
        """Return the settings, and prepare this process for its connections. Raises UnusableSettings."""
        if self._settings is None:
            from poolctl.adapters.process import prepare
            from poolctl.settings import read_settings

            self._settings = read_settings(self.flags, self.env_file())
            prepare(self._settings, verbose=self.verbose)
        return self._settings

    def env_file(self) -> Mapping[str, str]:
        """Return the lines of the pool's `.env`; empty without one. Raises UnusableSettings."""
        from poolctl.adapters.pool_folder import read_env

        if POOL_DIR in self.flags and not self.folder.is_dir():
            raise UnusableSettings(
                f"--pool-dir: {self.folder} is not a folder",
                "name the folder of the pool, which holds its .env",
            )
        return read_env(self.folder / ENV_FILE)


def session_of(context: click.Context) -> Session:
    """Return the session of a command."""
    found = context.find_object(Session)
    assert found is not None
    return found


def settings_of(context: click.Context) -> "PoolctlSettings":
    """Return the settings of a command; unusable ones end it."""
    return call(session_of(context).settings)


def print_answer(context: click.Context, document: Any, view: View, output: Output | None) -> None:
    """Print the answer of a command in the form of its own option, or of the one before the command."""
    show(document, view, output or session_of(context).output)


def first(found: Sequence[T], limit: int, noun: str) -> Sequence[T]:
    """Return the first `limit` items of a list read with one more; report on stderr if there are more."""
    if len(found) > limit:
        say(f"{NAME}: these are {limit} {noun}s, and there are more: --limit sets how many are listed")
    return found[:limit]


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run the work of a command. A failure ends the command with its cause and next step, Ctrl-C without words."""
    import asyncio

    try:
        return asyncio.run(work)
    except CommandFailed as failed:
        fail(failed)
    except KeyboardInterrupt:
        interrupted()


def call(work: Callable[[], T]) -> T:
    """Run blocking work of a command; see `run`."""
    try:
        return work()
    except CommandFailed as failed:
        fail(failed)
    except KeyboardInterrupt:
        interrupted()


def fail(failed: CommandFailed) -> NoReturn:
    """End the command with the cause and the next step on stderr."""
    for line in failed.message.splitlines():
        say(f"{NAME}: {line}")
    if failed.next_step:
        say(f"{NAME}: to do: {failed.next_step}")
    raise click.exceptions.Exit(failed.exit_code)


def interrupted() -> NoReturn:
    """End the command after Ctrl-C."""
    say("")
    raise click.exceptions.Exit(EXIT_INTERRUPTED)


def usage(problem: str, next_step: str = "") -> NoReturn:
    """End the command because of an argument."""
    say(f"{NAME}: {problem}")
    if next_step:
        say(f"{NAME}: to do: {next_step}")
    raise click.exceptions.Exit(EXIT_USAGE)


def say(text: str) -> None:
    """Print a line for people on stderr, where it does not mix with the answer."""
    from workerpool_kit.text.printable import printable

    print(printable(text), file=sys.stderr)  # noqa: T201


def now() -> float:
    """Return the time, in Unix seconds."""
    return time.time()
