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
from workerpool_devnet.market.deployment import Flavour
from workerpool_devnet.options import DevnetOptions
from workerpool_devnet.processes.signals import until_signalled
from workerpool_devnet.sdk.files import sdk_paths

BlockTime = Annotated[
    float, typer.Option(help="Seconds between blocks, also 0.25; 0 mines each transaction at once.")
]

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)


@app.callback()
def about() -> None:
    """Run a whole workerpool on this machine: chain, contracts, database, services, workers."""


@app.command()
def up(
    workers: Annotated[int, typer.Option(help="Number of workers, each with its own wallet and stake.")] = 3,
    cpus: Annotated[int, typer.Option(help="Tasks that one worker computes concurrently.")] = 2,
    block_time: BlockTime = 0,
    flavour: Annotated[
        Flavour,
        typer.Option(help="token: deposits are RLC tokens. native: the chain's coin, and gas is free."),
    ] = Flavour.TOKEN,
    chain_id: Annotated[
        int | None, typer.Option(help="Id of the chain. Default: 65535 (token), 134 (native: Bellecour's).")
    ] = None,
    chain_port: Annotated[
        int | None, typer.Option(help="Port where anvil listens; default: a free one.")
    ] = None,
    node_url: Annotated[
        str | None,
        typer.Option(help="Node given to every service and worker, such as a proxy before anvil."),
    ] = None,
    trust: Annotated[int, typer.Option(help="Highest trust of future deals.")] = 1,
    out: Annotated[Path, typer.Option(help="File to write when everything is ready.")] = Path("devnet.json"),
    port_base: Annotated[
        int | None, typer.Option(help="First HTTP port; default: each documented port that is free.")
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option(help="Run folder to create; its logs are kept. Default: a temporary folder."),
    ] = None,
    restart: Annotated[bool, typer.Option(help="Restart services that end.")] = True,
    sdk: Annotated[
        bool,
        typer.Option(
            help="Serve the iExec SDK: SMS, market, offers, and chain.json and key stores beside --out."
        ),
    ] = True,
) -> None:
    """Run a pool in the foreground; Ctrl-C stops it and removes everything."""
    started = time.monotonic()

    def progress(line: str) -> None:
        typer.echo(f"[{time.monotonic() - started:5.1f} s] {line}", err=True)

    try:
        options = DevnetOptions(
            workers=workers,
            cpus_per_worker=cpus,
            block_time=block_time,
            flavour=flavour,
            chain_id=chain_id,
            chain_port=chain_port,
            node_url=node_url,
            trust=trust,
            ports="documented" if port_base is None else port_base,
            restart=restart,
            folder=folder,
            sdk=sdk,
            progress=progress,
        )
        check_place(out, sdk_paths(out.absolute().parent) if sdk else ())
        asyncio.run(until_signalled(_serve(options, out)))
    except DevnetError as error:
        typer.echo(f"devnet: {error}", err=True)
        raise typer.Exit(1) from None


@app.command()
def demo(
    block_time: BlockTime = 0,
    keep: Annotated[bool, typer.Option(help="Keep the pool running afterwards, until Ctrl-C.")] = False,
) -> None:
    """Compute four tasks bought on a real chain with a whole pool, and open their results."""
    from workerpool_devnet.demo.run import run_demo

    try:
        code = asyncio.run(until_signalled(run_demo(block_time=block_time, keep=keep)))
    except DevnetError as error:
        typer.echo(f"demo: {error}", err=True)
        raise typer.Exit(1) from None
    # An interrupt is an error, except for a kept pool.
    raise typer.Exit(code if code is not None else int(not keep))


async def _serve(options: DevnetOptions, out: Path) -> None:
    try:
        async with Devnet(options) as net:
            for name, service in net.services.items():
                if service.process.started:
                    grpc = f"  gRPC {service.grpc}" if service.grpc else ""
                    options.progress(f"{name:<16} {service.http}{grpc}")
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
