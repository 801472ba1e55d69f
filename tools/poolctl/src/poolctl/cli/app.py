"""The command line `poolctl`: the options before each command, and the list of commands.

It is made with click: typer builds a pydantic adapter for each parameter of each run, a fifth of a command's time.
"""

from collections.abc import Callable
from typing import Any

import click

from poolctl.cli import chain, completion, init, live, pool, setup, support, tasks, workers
from poolctl.cli.session import FORMS, NAME, Session
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


class _InOrder(click.Group):
    """Lists its commands in the order in which they were added."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


def _show_version(context: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted:
        click.echo(f"{NAME} {own_version()}")
        context.exit()


_VARIABLES = {
    "pool_dir": POOL_DIR,
    "core_url": "IEXEC_CORE_URL",
    "adapter_url": "IEXEC_CORE_CHAIN_ADAPTER_URL",
    "publisher_url": "ORDER_PUBLISHER_URL",
    "node_url": "IEXEC_BLOCKCHAIN_NODE_ADDRESS",
    "operator": "IEXEC_CORE_OPERATOR_USERNAME",
    "operator_password_file": "IEXEC_CORE_OPERATOR_PASSWORD_FILE",
    "ca": "WORKERPOOL_TLS_CA",
    "cert": "WORKERPOOL_TLS_CERTIFICATE",
    "key": "WORKERPOOL_TLS_KEY",
    "allow_cleartext": "WORKERPOOL_ALLOW_CLEARTEXT",
}
"""The setting of each flag."""


def _flag(name: str, text: str) -> Callable[[Any], Any]:
    """Return the option of a setting whose value is a text."""
    return click.option(f"--{name}", metavar="TEXT", help=text)


@click.group(
    cls=_InOrder,
    name=NAME,
    help=ABOUT,
    epilog=EPILOG,
    no_args_is_help=True,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "max_content_width": 120,
        "show_default": True,
    },
)
@_flag("pool-dir", "Folder of the pool, with its .env. Default: POOLCTL_POOL_DIR, or this folder.")
@click.option(
    "--output",
    "-o",
    envvar="POOLCTL_OUTPUT",
    type=FORMS,
    default=Output.TABLE.value,
    help="Form of every answer.",
)
@_flag("core-url", "URL of core (IEXEC_CORE_URL).")
@_flag("adapter-url", "URL of the chain adapter (IEXEC_CORE_CHAIN_ADAPTER_URL).")
@_flag("publisher-url", "URL of the order publisher (ORDER_PUBLISHER_URL).")
@_flag("node-url", "JSON-RPC address of the node (IEXEC_BLOCKCHAIN_NODE_ADDRESS).")
@_flag("operator", "User name of core's operator (IEXEC_CORE_OPERATOR_USERNAME).")
@_flag("operator-password-file", "File with that operator's password (IEXEC_CORE_OPERATOR_PASSWORD_FILE).")
@_flag("ca", "Authorities of the certificates (WORKERPOOL_TLS_CA).")
@_flag("cert", "Certificate for mutual TLS (WORKERPOOL_TLS_CERTIFICATE).")
@_flag("key", "Key of that certificate (WORKERPOOL_TLS_KEY).")
@click.option(
    "--allow-cleartext",
    is_flag=True,
    flag_value="true",
    default=None,
    help="Send passwords without TLS (WORKERPOOL_ALLOW_CLEARTEXT).",
)
@click.option("--verbose", is_flag=True, help="Log the connections to stderr.")
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Print the version.",
)
@click.pass_context
def app(context: click.Context, /, output: str, verbose: bool, **flags: str | None) -> None:
    """Take the options of all commands."""
    given = {_VARIABLES[name]: value for name, value in flags.items() if value}
    context.obj = Session(given, Output(output), verbose)


for part in (init, pool, live, workers, tasks, chain, setup, support, completion):
    part.register(app)


def main() -> None:
    """Run the command line."""
    app(prog_name=NAME)
