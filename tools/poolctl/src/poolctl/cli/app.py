"""The command line `poolctl`: the options before each command, and the list of commands."""

from pathlib import Path
from typing import Annotated

import typer

from poolctl.cli import chain, init, live, pool, setup, support, tasks, workers
from poolctl.cli.session import NAME, Session
from poolctl.cli.version import own_version
from poolctl.errors import EXIT_CODES
from poolctl.folder import POOL_DIR
from poolctl.rendering.output import Output

ABOUT = """\
Set up a pool, see what it does, and learn why something waits or failed.

Every setting comes from a flag, else from the environment, else from the file .env in the pool's folder
(--pool-dir), and has the name that the services use, such as IEXEC_CORE_URL or PROD_POOL_ADDRESS.

\b
First steps:
  poolctl init --help     wallets, registration, stake and .env of a new pool
  poolctl doctor          what is wrong, why, and what to do
  poolctl status          what the pool does now
  poolctl why 0x3f…       why this task waits or failed, or this worker gets no work
\b
Examples:
  poolctl --pool-dir /opt/core workers
  poolctl tasks --status FAILED -o json | jq '.[].task_id'
  poolctl --core-url https://pool.example status
"""
EPILOG = "Exit codes: " + "; ".join(f"{code} {meaning}" for code, meaning in EXIT_CODES.items()) + "."

app = typer.Typer(
    name=NAME,
    help=ABOUT,
    epilog=EPILOG,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"{NAME} {own_version()}")
        raise typer.Exit


def _flag(name: str, text: str) -> typer.models.OptionInfo:
    option: typer.models.OptionInfo = typer.Option(name, help=text, show_default=False)
    return option


@app.callback()
def options(
    context: typer.Context,
    pool_dir: Annotated[
        Path | None,
        _flag("--pool-dir", "Folder of the pool, with its .env. Default: POOLCTL_POOL_DIR, or this folder."),
    ] = None,
    output: Annotated[
        Output, typer.Option("--output", "-o", envvar="POOLCTL_OUTPUT", help="Form of every answer.")
    ] = Output.TABLE,
    core_url: Annotated[str | None, _flag("--core-url", "URL of core (IEXEC_CORE_URL).")] = None,
    adapter_url: Annotated[
        str | None, _flag("--adapter-url", "URL of the chain adapter (IEXEC_CORE_CHAIN_ADAPTER_URL).")
    ] = None,
    publisher_url: Annotated[
        str | None, _flag("--publisher-url", "URL of the order publisher (ORDER_PUBLISHER_URL).")
    ] = None,
    node_url: Annotated[
        str | None, _flag("--node-url", "JSON-RPC address of the node (IEXEC_BLOCKCHAIN_NODE_ADDRESS).")
    ] = None,
    operator: Annotated[
        str | None, _flag("--operator", "User name of core's operator (IEXEC_CORE_OPERATOR_USERNAME).")
    ] = None,
    operator_password_file: Annotated[
        str | None,
        _flag(
            "--operator-password-file",
            "File with that operator's password (IEXEC_CORE_OPERATOR_PASSWORD_FILE).",
        ),
    ] = None,
    ca: Annotated[str | None, _flag("--ca", "Authorities of the certificates (WORKERPOOL_TLS_CA).")] = None,
    cert: Annotated[
        str | None, _flag("--cert", "Certificate for mutual TLS (WORKERPOOL_TLS_CERTIFICATE).")
    ] = None,
    key: Annotated[str | None, _flag("--key", "Key of that certificate (WORKERPOOL_TLS_KEY).")] = None,
    allow_cleartext: Annotated[
        bool,
        typer.Option("--allow-cleartext", help="Send passwords without TLS (WORKERPOOL_ALLOW_CLEARTEXT)."),
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="Log the connections to stderr.")] = False,
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Take the options of all commands."""
    given = {
        POOL_DIR: str(pool_dir) if pool_dir else None,
        "IEXEC_CORE_URL": core_url,
        "IEXEC_CORE_CHAIN_ADAPTER_URL": adapter_url,
        "ORDER_PUBLISHER_URL": publisher_url,
        "IEXEC_BLOCKCHAIN_NODE_ADDRESS": node_url,
        "IEXEC_CORE_OPERATOR_USERNAME": operator,
        "IEXEC_CORE_OPERATOR_PASSWORD_FILE": operator_password_file,
        "WORKERPOOL_TLS_CA": ca,
        "WORKERPOOL_TLS_CERTIFICATE": cert,
        "WORKERPOOL_TLS_KEY": key,
        "WORKERPOOL_ALLOW_CLEARTEXT": "true" if allow_cleartext else None,
    }
    context.obj = Session({name: value for name, value in given.items() if value}, output, verbose)


init.register(app)
pool.register(app)
live.register(app)
workers.register(app)
tasks.register(app)
chain.register(app)
setup.register(app)
support.register(app)


def main() -> None:
    """Run the command line."""
    app()
