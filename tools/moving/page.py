"""The page of older variables, with the successor or the reason of each taken from the services' settings."""

import importlib
from functools import cache
from typing import NamedTuple

from workerpool_kit.settings.base import Settings, aliases_of, variable_of

from moving.older_variables import PROCESSES, OlderProcess
from moving.successors import NOTES, OLDER, Older

_CLASSES = {
    "core": "CoreSettings",
    "chain_adapter": "ChainAdapterSettings",
    "result_proxy": "ResultProxySettings",
    "sms": "SmsSettings",
    "registry": "RegistrySettings",
    "order_publisher": "OrderPublisherSettings",
    "worker": "WorkerSettings",
}
_TITLES = {service: service.replace("_", " ") for service in _CLASSES} | {"sms": "SMS"}


class UnexplainedVariable(Exception):
    """A variable has neither a setting of its name, nor a successor, nor a reason."""


class Answer(NamedTuple):
    """The successor of a variable: the cell of the table."""

    kind: str
    text: str


@cache
def settings_of(service: str) -> type[Settings]:
    """Return the settings class of a service."""
    found: type[Settings] = getattr(
        importlib.import_module(f"workerpool_{service}.settings"), _CLASSES[service]
    )
    return found


def declared(service: str) -> dict[str, str]:
    """Return each variable that a service reads, older names included, with the present name of its setting."""
    return {
        name: variable_of(info)
        for info in settings_of(service).model_fields.values()
        for name in (variable_of(info), *aliases_of(info))
    }


def answer(process: OlderProcess, variable: str) -> Answer:
    """Return the successor of a variable, or why it has none. Raises UnexplainedVariable."""
    service = process.service
    if service:
        ignored = settings_of(service).ignored_variables
        if variable in ignored:
            return Answer("no effect", f"no effect: {ignored[variable]}")
        if variable in declared(service):
            present = declared(service)[variable]
            note = NOTES.get((service, variable), "")
            name = "the same" if present == variable else f"still read; the newer name is `{present}`"
            return Answer("same", f"{name}; {note}" if note else name)
    older = OLDER.get(variable, Older())
    if older.settings:
        named = ", ".join(f"`{name}` of {_TITLES[of]}" for of, name in older.settings)
        return Answer("successor", f"{named}: {older.remark}" if older.remark else named)
    if older.reason:
        return Answer("reason", f"none: {older.reason}")
    raise UnexplainedVariable(f"{variable} of {process.title}: add its successor or a reason to tools/moving")


def older_variables_page() -> str:
    """Return the page."""
    parts = [
        "# Variables of the existing stack\n\n"
        "Made by `make docs` from `tools/moving` and the services' settings classes; do not edit.\n\n"
        "Each variable of the processes of iexec-core 3 to 9 and their neighbours, and of the scheduler before them,\n"
        "with its successor in the environment of a process here, and in the `.env` of compose where it has\n"
        "another name there. [moving-a-pool.md](moving-a-pool.md) describes the steps of a move.\n"
    ]
    for process in PROCESSES:
        rows = "".join(
            f"| `{name}` | {answer(process, name).text} | {_in_env(name)} |\n"
            for name in sorted(process.variables)
        )
        heading = "| older variable | of a process here | in `.env` of compose |\n|---|---|---|"
        parts.append(f"\n## {process.title}\n\n{heading}\n{rows}")
    return "".join(parts)


def _in_env(variable: str) -> str:
    """Return the name in `.env`; empty when it has none of its own."""
    env = OLDER.get(variable, Older()).env
    return f"`{env}`" if env else ""
