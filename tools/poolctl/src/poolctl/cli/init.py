"""The command init: from nothing to a registered, staked pool with its `.env`."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from poolctl.cli.session import Session, call, print_answer, run, say, session_of, usage, with_output
from poolctl.errors import CommandFailed, UnusableSettings
from poolctl.rendering.output import Output

if TYPE_CHECKING:
    from poolctl.adapters.setup.initialisation import Initialisation, Target
    from poolctl.domain.setup.plan import Step, Wishes
    from poolctl.settings import PoolctlSettings

_TITLE = "WORKERPOOL_DESCRIPTION"
_MAX_PERCENT = 100


_CHAINS = {
    "bellecour": {
        "CHAIN_ID": "134",
        "CHAIN_URL": "https://bellecour.iex.ec",
        "CHAIN_HUB_ADDRESS": "0x3eca1B216A7DF1C7689aEb259fFB83ADFB894E7f",
    }
}
"""Chains whose settings poolctl knows."""
_FREE = frozenset({134})
_MARKET = "https://api.market.v5.iex.ec"
_BLOCK_TIME_S = 5.0


def register(app: click.Group) -> None:
    """Add the command to the command line."""
    app.add_command(init)


def _password_file(name: str, text: str) -> Callable[[Any], Any]:
    return click.option(name, type=click.Path(exists=True, dir_okay=False, path_type=Path), help=text)


@click.command
@click.option(
    "--description",
    help="Public name of the workerpool, written on chain. Default: WORKERPOOL_DESCRIPTION of .env.",
)
@click.option(
    "--chain",
    type=click.Choice(list(_CHAINS)),
    help="A known chain; other chains by CHAIN_ID, CHAIN_URL and CHAIN_HUB_ADDRESS.",
)
@click.option("--host", default="localhost", help="Static IP address or DNS name of the core server.")
@click.option("--stake", default="0", help="Least RLC in the owner's account afterwards.")
@click.option("--worker-stake", default="0", help="Least RLC in the worker's account afterwards.")
@click.option("--price", help="Price of a task in RLC, for .env; unset means free tasks.")
@click.option(
    "--worker-stake-ratio",
    type=click.IntRange(min=0),
    help="Percent of a price that a worker locks for a task.",
)
@click.option(
    "--reward-ratio",
    type=click.IntRange(min=0, max=_MAX_PERCENT),
    help="Percent of a reward that the owner keeps.",
)
@_password_file(
    "--core-wallet-password-file", "File with the password of the owner's wallet. Default: a random one."
)
@_password_file(
    "--worker-wallet-password-file", "File with the password of the worker's wallet. Default: a random one."
)
@click.option(
    "--free-gas/--paid-gas",
    default=None,
    help="Whether transactions pay nothing. Default: by the chain.",
)
@click.option("--dry-run", is_flag=True, help="Show the steps, and change nothing.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask before transactions are sent.")
@with_output
@click.pass_context
def init(
    context: click.Context,
    description: str | None,
    chain: str | None,
    host: str,
    stake: str,
    worker_stake: str,
    price: str | None,
    worker_stake_ratio: int | None,
    reward_ratio: int | None,
    core_wallet_password_file: Path | None,
    worker_wallet_password_file: Path | None,
    free_gas: bool | None,
    dry_run: bool,
    yes: bool,
    output: Output | None,
) -> None:
    """Set up a new pool: passwords, wallets, registration on chain, policy, stakes, and .env.

    Every step is skipped if it is done, so init can be interrupted and run again, and a second run changes
    nothing. A wallet that exists is kept: put core_wallet.json and secrets/core-wallet-password into the folder to use
    your own. When a wallet lacks coins, init says what to send to which address, and stops; run it again afterwards.

    \b
    Examples:
      poolctl --pool-dir /opt/core init --chain bellecour --description "my pool" --dry-run
      poolctl --pool-dir /opt/core init --chain bellecour --description "my pool" --host pool.example
      poolctl --pool-dir /opt/core init --stake 10 --price 0.1 --reward-ratio 5
    """
    from poolctl.adapters.setup.files import PoolFiles
    from poolctl.domain.setup.plan import Wishes

    session = session_of(context)
    if not dry_run:
        call(lambda: PoolFiles(session.folder).prepare())
    if chain is not None:
        session.flags = {**_flags_of(chain), **session.flags}
    settings = call(session.settings) if session.folder.is_dir() else call(lambda: _without_folder(session))
    wishes = Wishes(
        description=_description(description, session),
        worker_stake_ratio=worker_stake_ratio,
        scheduler_reward_ratio=reward_ratio,
        stake=_nrlc("--stake", stake),
        worker_stake=_nrlc("--worker-stake", worker_stake),
    )
    target = call(
        lambda: _target(settings, host, None if price is None else _nrlc("--price", price), free_gas)
    )
    given = {
        "core-wallet-password": core_wallet_password_file,
        "worker-wallet-password": worker_wallet_password_file,
    }
    passwords = {name: path for name, path in given.items() if path is not None}

    document = run(
        _initialise(session.folder, target, wishes, passwords, dry_run=dry_run, confirm=_confirm(yes))
    )
    print_answer(context, document, _view, output)


def _without_folder(session: Session) -> "PoolctlSettings":
    """Return the settings for a folder that does not exist yet, in a dry run."""
    from poolctl.adapters.process import prepare
    from poolctl.folder import POOL_DIR
    from poolctl.settings import read_settings

    flags = {name: value for name, value in session.flags.items() if name != POOL_DIR}
    settings = read_settings(flags, {})
    prepare(settings, verbose=session.verbose)
    return settings


def _flags_of(chain: str) -> dict[str, str]:
    # A flag such as --node-url goes before the known value of a chain.
    known = _CHAINS[chain]
    return {
        "IEXEC_CHAIN_ID": known["CHAIN_ID"],
        "IEXEC_BLOCKCHAIN_NODE_ADDRESS": known["CHAIN_URL"],
        "IEXEC_HUB_ADDRESS": known["CHAIN_HUB_ADDRESS"],
    }


def _description(given: str | None, session: Session) -> str:
    text = given or (call(session.env_file).get(_TITLE, "") if session.folder.is_dir() else "")
    if not text.strip():
        usage("the workerpool needs a public name", 'give one with --description "my pool"')
    return text


def _nrlc(option: str, text: str) -> int:
    from workerpool_poco.protocol.encoding.amounts import parse_rlc

    if not text.strip("0."):
        return 0
    try:
        return parse_rlc(text)
    except ValueError as wrong:
        usage(f"{option}: {wrong}")


def _target(settings: "PoolctlSettings", host: str, price: int | None, free_gas: bool | None) -> "Target":
    from poolctl.adapters.setup.initialisation import Target

    missing = [
        name
        for name, value in (
            ("CHAIN_ID", settings.chain_id),
            ("CHAIN_URL (--node-url)", settings.node_url),
            ("CHAIN_HUB_ADDRESS", settings.hub_address),
        )
        if value is None
    ]
    if missing:
        raise UnusableSettings(
            f"not set: {', '.join(missing)}",
            "name a known chain with --chain, or set them in the environment or .env",
        )
    assert settings.chain_id is not None
    return Target(
        chain_id=settings.chain_id,
        node_url=str(settings.node_url),
        hub=str(settings.hub_address),
        free_gas=settings.chain_id in _FREE if free_gas is None else free_gas,
        block_time_s=_BLOCK_TIME_S,
        host=host,
        market_url=str(settings.market_url or _MARKET),
        price=price,
    )


def _confirm(yes: bool) -> Callable[[list["Step"]], None]:
    def ask(steps: list["Step"]) -> None:
        import sys

        if yes or not steps:
            return
        if not sys.stdin.isatty():
            raise UnusableSettings(
                f"init would send {len(steps)} transactions, and no terminal is there to confirm them",
                "give --yes, or look first with --dry-run",
            )
        for step in steps:
            say(f"  {step.what}")
        if not click.confirm("Send these transactions?", err=True):
            raise CommandFailed("nothing was sent", "run init again when you are ready")

    return ask


async def _initialise(
    folder: Path,
    target: "Target",
    wishes: "Wishes",
    passwords: dict[str, Path],
    *,
    dry_run: bool,
    confirm: Callable[[list["Step"]], None],
) -> dict[str, Any]:
    from poolctl.adapters.setup.initialisation import initialisation
    from poolctl.domain.setup.plan import chain_steps, env_step, file_steps, shortage

    async with initialisation(folder, target, wishes, create=not dry_run) as work:
        state = await work.state()
        if dry_run:
            steps = [*file_steps(state), *chain_steps(wishes, state), env_step(state)]
            return _document(state, steps, work, executed=False)
        done = [await _executed(work, step, passwords) for step in file_steps(state)]
        state = await work.state()
        wanted = chain_steps(wishes, state)
        if lacking := shortage(wanted, state, free_gas=target.free_gas, native=work.native):
            raise CommandFailed(lacking, "then run init again: it continues with the next step")
        confirm([step for step in wanted if not step.done])
        done += [await _executed(work, step, passwords) for step in wanted]
        done.append(await _executed(work, env_step(await work.state()), passwords))
        return _document(await work.state(), done, work, executed=True)


async def _executed(work: "Initialisation", step: "Step", passwords: dict[str, Path]) -> "Step":
    from poolctl.adapters.progress import stderr_console

    if not step.done:
        with stderr_console().status(step.what):
            await work.execute(step, passwords)
        say(f"done: {step.what}")
    return step


def _document(state: Any, steps: list["Step"], work: "Initialisation", *, executed: bool) -> dict[str, Any]:
    return {
        "pool": state.pool,
        "owner": state.owner.address if state.owner is not None else None,
        "worker": state.worker.address if state.worker is not None else None,
        "executed": executed,
        "steps": [
            {
                "kind": step.kind.value,
                "what": step.what,
                "was_done": step.done,
                "transaction": None if step.done else work.transactions.get(step.kind),
            }
            for step in steps
        ],
    }


def _view(document: dict[str, Any]) -> Any:
    from poolctl.rendering.setup_views import plan_view

    return plan_view(document)
