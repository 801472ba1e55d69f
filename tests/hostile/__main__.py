"""Command line: `cd tests && python -m hostile --seed 1 --seconds 3600` (`make hostile`)."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from typing import Annotated

import typer
from workerpool_devnet.errors import DevnetError
from workerpool_devnet.processes.signals import until_signalled

from hostile.report import Report
from hostile.run import Plan, run

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


async def _run(plan: Plan, say: Callable[[str], None]) -> Report | None:
    """Run a plan. The first signal ends the run with a report of what is over, the second without one (None)."""
    interrupt = asyncio.Event()
    return await until_signalled(run(plan, say, interrupt), first=interrupt.set)


@app.command()
def main(
    seconds: Annotated[float, typer.Option(help="Seconds of the mix.")] = 3600,
    seed: Annotated[int, typer.Option(help="Seed of deals and faults; 0 chooses one.")] = 0,
    only: Annotated[
        str, typer.Option(help="Beginnings of names of hostile entries, separated by commas; empty: all.")
    ] = "",
    faults: Annotated[bool, typer.Option(help="Plant faults.")] = True,
    strangers: Annotated[bool, typer.Option(help="Hostile and broken workers.")] = True,
) -> None:
    """Run a seeded mix of hostile deals, workers and faults beside honest deals; exit 1 on any violation.

    Ctrl-C ends the run early: it is judged so far and exits with 1. A second Ctrl-C leaves out the verdict.
    """
    started = time.monotonic()
    seed = seed or time.time_ns() % 1_000_000

    def say(line: str) -> None:
        print(f"[{time.monotonic() - started:7.1f} s] {line}", flush=True)

    say(f"seed {seed}, {seconds:g} s")
    names = [name for name in only.split(",") if name]
    plan = Plan(seed=seed, seconds=seconds, only=names, faults=faults, strangers=strangers)
    try:
        report = asyncio.run(_run(plan, say))
    except (DevnetError, RuntimeError, TimeoutError) as error:
        sys.exit(f"hostile: the run with seed {seed} could not end: {error!r}")
    if report is None:
        sys.exit("hostile: interrupted; everything is stopped and removed")
    print("\n".join(report.lines()), flush=True)
    sys.exit(0 if report.passed else 1)


if __name__ == "__main__":
    app()
