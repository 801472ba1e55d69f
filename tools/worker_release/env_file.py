"""The example of the worker's env file, made from its settings: every variable once, with meaning and default."""

import textwrap
from collections.abc import Iterable, Iterator

from workerpool_kit.settings.reference import settings_rows
from workerpool_worker.settings import WorkerSettings

_CHOSEN = {
    "POOL_ADDRESS": "",
    "IEXEC_CORE_URL": "",
    "IEXEC_WORKER_WALLET_PATH": "/etc/poolworker/wallet.json",
    "IEXEC_WORKER_WALLET_PASSWORD_FILE": "/etc/poolworker/password",
    "IEXEC_WORKER_BASE_DIR": "/var/lib/poolworker",
}
"""What an operator must look at, with the values that fit the unit."""
_REMARKS = {
    "IEXEC_WORKER_BASE_DIR": "/tmp does not survive a reboot. A folder elsewhere needs ReadWritePaths= in the unit.",
    "WORKERPOOL_WORKER_RETURN_WITHIN": "The unit sets PT1M too.",
    "WORKERPOOL_WORKER_STOP_TIMEOUT": "The unit allows for PT5S: raise its TimeoutStopSec= by as much.",
}
_HEAD = """\
Settings of poolworker: environment variables, one a line, without quotes. An empty value counts as unset.
For systemd (EnvironmentFile=) and for docker run --env-file. Made by `make docs` from the worker's settings: change
your copy in /etc/poolworker, not this file.

In a shell the commands of poolworker need the same variables: set -a; . /etc/poolworker/poolworker.env; set +a
"""
_PLACEHOLDERS = ("(required)", "(none)", "(set)")
_WIDTH = 118


def env_file() -> str:
    """Return the content of the example."""
    rows = {name: (meaning, kind, default) for name, meaning, kind, default in settings_rows(WorkerSettings)}
    chosen = {name: rows[_variable(name)] for name in _CHOSEN}
    others = {name: row for name, row in rows.items() if name not in map(_variable, _CHOSEN)}
    without_effect = {name: row for name, row in others.items() if name in WorkerSettings.ignored_variables}
    parts = [_comment(_HEAD), _heading("Set these")]
    parts += [
        _entry(name, meaning, kind, _CHOSEN[name], mark="") for name, (meaning, kind, _) in chosen.items()
    ]
    parts.append(_heading("The rest, with their defaults; remove the # to change one"))
    parts += _defaults((name, row) for name, row in others.items() if name not in without_effect)
    parts.append(_heading("Without effect on this version; the worker names those that are set"))
    parts += _defaults(without_effect.items())
    return "\n".join(parts)


def _variable(name: str) -> str:
    """Return the variable of a secret that the example reads from a file."""
    return name.removesuffix("_FILE")


def _defaults(rows: Iterable[tuple[str, tuple[str, str, str]]]) -> Iterator[str]:
    for name, (meaning, kind, default) in rows:
        yield _entry(name, meaning, kind, "" if default in _PLACEHOLDERS else default, mark="#")


def _entry(name: str, meaning: str, kind: str, value: str, *, mark: str) -> str:
    remark = f" {_REMARKS[name]}" if name in _REMARKS else ""
    return f"{_comment(f'{meaning}. [{kind}]{remark}')}{mark}{name}={value}\n"


def _heading(text: str) -> str:
    return f"# --- {text} ---\n"


def _comment(text: str) -> str:
    lines = [line for paragraph in text.splitlines() for line in textwrap.wrap(paragraph, _WIDTH) or [""]]
    return "".join(f"# {line}".rstrip() + "\n" for line in lines)
