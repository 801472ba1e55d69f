"""The command `poolworker` as an operating system process, in the environment of a worker."""

import asyncio
import json
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

LIMIT_S = 90.0
MODULE = (sys.executable, "-m", "workerpool_worker.cli.app")
"""The command from the source; the binary is the other one."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command printed, and its exit code."""

    code: int
    text: str
    errors: str

    @property
    def document(self) -> Any:
        """The JSON document that it printed."""
        return json.loads(self.text)

    def problems(self) -> dict[str, dict[str, str]]:
        """Return the problems that `check --json` found, by code. Each says what is wrong and how to correct it."""
        found = {each["code"]: each for each in self.document if each["severity"] == "problem"}
        assert all(each["message"] and each["next_step"] for each in found.values()), found
        return found


async def poolworker(
    environment: dict[str, str],
    *arguments: str,
    prefix: tuple[str, ...] = (),
    program: tuple[str, ...] = MODULE,
) -> Answer:
    """Run a command, behind other programs that start it if `prefix` names them."""
    command = [*prefix, *program, *arguments]

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=LIMIT_S, check=False
        )

    done = await asyncio.to_thread(run)
    return Answer(done.returncode, done.stdout, done.stderr)
