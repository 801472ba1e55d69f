"""The command doctor, and what it shares with debug."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from poolctl.cli.session import Session, call, now, print_answer, run, session_of, with_output
from poolctl.cli.version import own_version
from poolctl.domain.diagnosis.findings import Finding, has_problem
from poolctl.errors import EXIT_PROBLEM
from poolctl.rendering.output import Output

if TYPE_CHECKING:
    from poolctl.settings import PoolctlSettings

_OF_A_POOL = (
    "IEXEC_",
    "PROD_",
    "MONGO_",
    "ORDER_PUBLISHER_",
    "WORKERPOOL_",
    "POOL_",
    "POOLCTL_",
    "CHAIN_",
    "GRAFANA_",
)


def register(app: click.Group) -> None:
    """Add the commands to the command line."""
    app.add_command(doctor)


def variables_of(session: Session) -> dict[str, str]:
    """Return every setting of the pool that poolctl can see: `.env`, the environment, and the flags."""
    environment = {name: value for name, value in os.environ.items() if name.startswith(_OF_A_POOL)}
    return {**session.env_file(), **environment, **session.flags}


@click.command
@click.option("--all", "every", is_flag=True, help="Also show what has no problem.")
@with_output
@click.pass_context
def doctor(context: click.Context, every: bool, output: Output | None) -> None:
    """Find what is wrong with the pool: what, why, and what to do. Changes nothing.

    Checks passwords, secrets, disk, certificates, ports, health, credentials, versions, clocks, node, core's distance
    to the chain, pool owner, wallet, stake and workers. Exit code 0: no problem; 1: at least one.

    \b
    Examples:
      poolctl --pool-dir /opt/core doctor
      poolctl doctor -o json | jq '.[] | select(.severity == "problem") | .code'
    """
    session = session_of(context)
    settings, variables = call(session.settings), call(lambda: variables_of(session))
    findings = run(examine(settings, variables, session.folder))

    def view(_: Any) -> Any:
        from poolctl.rendering.setup_views import findings_view

        return findings_view(findings, every=every)

    print_answer(context, document_of(findings), view, output)
    context.exit(EXIT_PROBLEM if has_problem(findings) else 0)


async def examine(settings: "PoolctlSettings", variables: Mapping[str, str], folder: Path) -> list[Finding]:
    """Return what doctor finds; steps are shown on a terminal meanwhile."""
    from poolctl.adapters.checks.collect import collect
    from poolctl.adapters.progress import stderr_console
    from poolctl.domain.diagnosis.diagnosis import diagnose

    with stderr_console().status("checking the pool") as status:
        facts = await collect(
            settings,
            variables,
            folder,
            now=now(),
            version=own_version(),
            say=lambda step: status.update(f"checking {step}"),
        )
    return diagnose(facts)


def document_of(findings: list[Finding]) -> list[dict[str, Any]]:
    """Return findings as a document."""
    return [each.document() for each in findings]
