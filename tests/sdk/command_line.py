"""Runs commands of an iExec command line in one folder and reads their `--raw` answers."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import shutil
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workerpool_devnet.packages import repository_root

_SECONDS = 300.0
_SHOWN_CHARACTERS = 4_000


@dataclass(frozen=True)
class Outcome:
    """What one command printed, and how it ended."""

    words: Sequence[str]
    code: int
    stdout: str
    stderr: str
    seconds: float

    @property
    def answer(self) -> dict[str, Any]:
        """The JSON object of `--raw`: on standard output after a success, else on standard error; {} without one."""
        for stream in (self.stdout, self.stderr):
            for line in reversed(stream.splitlines()):
                if line.startswith("{"):
                    found = json.loads(line)
                    assert isinstance(found, dict)
                    return found
        return {}

    @property
    def error(self) -> str:
        """The sentence that the user reads after a failure."""
        return str(self.answer.get("error", {}).get("message", ""))

    def __str__(self) -> str:
        printed = "".join(
            f"\n{name}: {text.strip()[:_SHOWN_CHARACTERS]}"
            for name, text in (("stdout", self.stdout), ("stderr", self.stderr))
            if text.strip()
        )
        return f"$ iexec {shlex.join(self.words)}  → {self.code} after {self.seconds:.1f} s{printed}"


class CommandFailed(AssertionError):
    """A command failed that should not, or did not end in time; the text holds what it printed."""


@dataclass
class CommandLine:
    """A command line used in one folder; prints each command, which pytest shows when a test fails."""

    programs: Mapping[str, Path]
    """The executables of the release, see `releases.executables`."""
    folder: Path
    whole: bool = False
    """Start `iexec` itself, which starts the executable of the noun: the same, at twice the processor time."""
    outcomes: list[Outcome] = field(default_factory=list)

    async def run(self, *words: str, seconds: float = _SECONDS) -> dict[str, Any]:
        """Run a command and return its JSON answer; raises `CommandFailed` unless it succeeds."""
        outcome = await self.attempt(*words, seconds=seconds)
        if outcome.code != 0 or outcome.answer.get("ok") is not True:
            raise CommandFailed(str(outcome))
        return outcome.answer

    async def refused(self, *words: str, seconds: float = _SECONDS) -> str:
        """Run a command that must fail; return the sentence that the user reads."""
        outcome = await self.attempt(*words, seconds=seconds)
        if outcome.code == 0 or not outcome.error:
            raise CommandFailed(f"this command should fail: {outcome}")
        return outcome.error

    async def attempt(self, *words: str, seconds: float = _SECONDS) -> Outcome:
        """Run a command, whatever its end; raises `CommandFailed` when it does not end within `seconds`."""
        noun, *rest = words
        direct = noun in self.programs and not self.whole
        program = [str(self.programs[noun])] if direct else [str(self.programs["iexec"]), noun]
        outcome = await self._start(words, [*program, *rest, "--raw"], seconds)
        print(outcome)
        self.outcomes.append(outcome)
        return outcome

    async def _start(self, words: Sequence[str], arguments: Sequence[str], seconds: float) -> Outcome:
        started = time.monotonic()
        process = await asyncio.create_subprocess_exec(
            _node(),
            *arguments,
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], "HOME": str(self.folder)},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        try:
            stdout, stderr = await asyncio.wait_for(process.communicate(), seconds)
        except TimeoutError:
            raise CommandFailed(f"iexec {shlex.join(words)} did not end within {seconds:.0f} s") from None
        finally:
            if process.returncode is None:
                os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
        assert process.returncode is not None
        return Outcome(
            words, process.returncode, stdout.decode(), stderr.decode(), time.monotonic() - started
        )


def _node() -> str:
    installed = repository_root() / ".cache" / "toolchain" / "bin" / "node"
    found = str(installed) if installed.exists() else shutil.which("node")
    assert found is not None, "node was not found; run `make node`"
    return found
