"""The programs of the clients: their examples, and those of their READMEs."""

import asyncio
import os
import re
import sys
from asyncio.subprocess import PIPE, Process
from dataclasses import dataclass
from pathlib import Path

import client_packages
from patience import PATIENCE_S

LANGUAGES = client_packages.languages()
_SUFFIXES = {"go": ".go", "java": ".java", "python": ".py", "typescript": ".ts"}
_KEPT = (
    "PATH",
    "HOME",
    "LANG",
    "TMPDIR",
    "JAVA_HOME",
    "GOFLAGS",
    "GOPROXY",
    "GOSUMDB",
    "GOMODCACHE",
    "GOCACHE",
)
"""Variables of this process that a program gets: where tools and caches are."""


@dataclass(frozen=True)
class Ended:
    """A program that has ended."""

    code: int
    output: str
    errors: str

    @property
    def last_error(self) -> str:
        """The last line that it wrote to standard error."""
        return ([line for line in self.errors.splitlines() if line.strip()] or [""])[-1]


async def started(language: str, script: str, *arguments: str | Path, **variables: str) -> Process:
    """Start a script of a client's folder, in an environment of its own."""
    environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
    tools = client_packages.ROOT / ".cache/toolchain/bin"
    environment["PATH"] = f"{tools}:{environment['PATH']}"
    return await asyncio.create_subprocess_exec(
        client_packages.CLIENTS / language / script,
        *map(str, arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
        env=environment | variables,
    )


async def ended(process: Process, patience_s: float = PATIENCE_S) -> Ended:
    """Wait for the end of a program; end one that hangs."""
    try:
        output, errors = await asyncio.wait_for(process.communicate(), patience_s)
    except TimeoutError:
        process.kill()
        output, errors = await process.communicate()
        errors += f"\nit ran for {patience_s:g} s and was ended".encode()
    return Ended(process.returncode or 0, output.decode(), errors.decode())


async def examples(*arguments: str | Path) -> dict[str, Ended]:
    """Run the example of each language at once, and return how each ended."""

    async def one(language: str) -> Ended:
        return await ended(await started(language, "run-example", *arguments))

    found = await asyncio.gather(*map(one, LANGUAGES))
    return dict(zip(LANGUAGES, found, strict=True))


def readme_program(language: str, folder: Path) -> Path:
    """Write the first block of a client's README in its language into a file."""
    text = (client_packages.CLIENTS / language / "README.md").read_text()
    block = re.search(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert block is not None, f"clients/{language}/README.md has no block of {language}"
    path = folder / f"readme{_SUFFIXES[language]}"
    path.write_text(block[1])
    return path


async def installed() -> None:
    """Install all clients as their users do; what is installed already takes a moment."""
    command: list[str | Path] = [sys.executable, client_packages.ROOT / "tools/client_packages.py", "install"]
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=asyncio.subprocess.STDOUT)
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
