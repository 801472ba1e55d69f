"""Command line of the devnet: `python -m workerpool_devnet up` and `… demo`."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Annotated

import typer

from workerpool_devnet.devnet import Devnet
from workerpool_devnet.document import check_place
from workerpool_devnet.errors import DevnetError
from workerpool_devnet.options import DevnetOptions
from workerpool_devnet.processes.signals import until_signalled

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)


@app.callback()
def about() -> None:
    """Run a whole workerpool on this machine: chain, contracts, database, services, workers."""


@app.command()
def up(
    workers: Annotated[int, typer.Option(help="Number of workers, each with its own wallet and stake.")] = 3,
    cpus: Annotated[int, typer.Option(help="Tasks a worker computes at the same time.")] = 2,
    block_time: Annotated[int, typer.Option(help="Seconds between blocks; 0 mines at once.")] = 0,
    trust: Annotated[int, typer.Option(help="Highest trust that deals will ask for.")] = 1,
    out: Annotated[Path, typer.Option(help="File that appears when all is ready.")] = Path("devnet.json"),
    port_base: Annotated[
        int | None, typer.Option(help="First HTTP port; default: the documented ports where they are free.")
    ] = None,
    folder: Annotated[
        Path | None, typer.Option(help="Run folder to create, whose logs stay; default: a temporary one.")
    ] = None,
    restart: Annotated[bool, typer.Option(help="Start services again when they end.")] = True,
) -> None:
    """Bring a pool up in the foreground; Ctrl-C takes it down and leaves nothing behind."""
    started = time.monotonic()

    def progress(line: str) -> None:
        typer.echo(f"[{time.monotonic() - started:5.1f} s] {line}", err=True)

    try:
        options = DevnetOptions(
            workers=workers,
            cpus_per_worker=cpus,
            block_time=block_time,
            trust=trust,
            ports="documented" if port_base is None else port_base,
            restart=restart,
            folder=folder,
            progress=progress,
        )
        check_place(out)
        asyncio.run(until_signalled(_serve(options, out)))
    except DevnetError as error:
        typer.echo(f"devnet: {error}", err=True)
        raise typer.Exit(1) from None


@app.command()
def demo(
    block_time: Annotated[int, typer.Option(help="Seconds between blocks; 0 mines at once.")] = 0,
    keep: Annotated[bool, typer.Option(help="Leave the pool up afterwards, until Ctrl-C.")] = False,
) -> None:
    """Let a whole pool compute four tasks bought on a real chain, and open their results."""
    from workerpool_devnet.demo.run import run_demo

    try:
        code = asyncio.run(until_signalled(run_demo(block_time=block_time, keep=keep)))
    except DevnetError as error:
        typer.echo(f"demo: {error}", err=True)
        raise typer.Exit(1) from None
    # Interrupted: only a kept pool had finished its work, and that is how one is left.
    raise typer.Exit(code if code is not None else int(not keep))


async def _serve(options: DevnetOptions, out: Path) -> None:
    try:
        async with Devnet(options) as net:
            for name, service in net.services.items():
                options.progress(f"{name:<14} {service.http}  gRPC {service.grpc}")
            net.write_document(out)
            options.progress(f"ready: {out}; logs in {net.logs}; Ctrl-C stops everything")
            await net.wait()
    finally:
        options.progress("stopped")


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
