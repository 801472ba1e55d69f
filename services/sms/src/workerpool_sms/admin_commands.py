"""Commands of the operator about stored secrets: they call the running SMS on this host with its own settings."""

import argparse
import http.client
import json
import ssl
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from workerpool_kit.process import EXIT_FAILED, EXIT_OK, EXIT_SETTINGS
from workerpool_kit.settings.base import EVERY_INTERFACE
from workerpool_kit.settings.environment import SettingsError, load
from workerpool_poco.protocol.encoding.amounts import rlc

from workerpool_sms.settings import SmsSettings

SECRET_OWNERS, REMOVE_SECRETS = "secret-owners", "remove-secrets"
_PROGRAM = "workerpool-sms"
_PATH = "/admin/secrets"
_LIMIT_S = 120.0
_EVERY_INTERFACE = ("", EVERY_INTERFACE, "0.0.0.0")
_OWNERS_DESCRIPTION = """\
List the wallets that stored secrets in this SMS, those with the most secrets first: their number, their size in the
database, their kinds, and the wallet's deposit on its iExec account. Any wallet may store some, so many secrets of a
wallet without a deposit are most likely junk."""
_REMOVE_DESCRIPTION = """\
Remove the secrets of users and requesters (web2, requester) that a wallet stored. Tasks that need them fail until their
owner stores them again. With --contracts, also remove the secrets of the datasets and apps that the wallet owns; their
owner can then store them again. The audit log of the SMS records each removal (audit.secrets_removed)."""


class AdminCallFailed(Exception):
    """The SMS did not answer, or refused the call. The message is one sentence for the operator."""


Call = Callable[[str, Mapping[str, str]], Any]
"""Calls `/admin/secrets` with a method and parameters; returns the JSON answer. Raises AdminCallFailed."""


def secret_owners(arguments: Sequence[str]) -> int:
    """Run `workerpool-sms secret-owners`; return the exit code of the process."""
    parser = _parser(SECRET_OWNERS, _OWNERS_DESCRIPTION)
    parser.add_argument("--limit", type=int, default=20, help="number of wallets; 0: all (default: 20)")
    options = parser.parse_args(arguments)
    return _run(SECRET_OWNERS, lambda call: _list(call, options.limit))


def remove_secrets(arguments: Sequence[str]) -> int:
    """Run `workerpool-sms remove-secrets`; return the exit code of the process."""
    parser = _parser(REMOVE_SECRETS, _REMOVE_DESCRIPTION)
    parser.add_argument("wallet", help="address of the wallet that stored the secrets")
    parser.add_argument("--contracts", action="store_true", help="also those of its datasets and apps")
    options = parser.parse_args(arguments)

    def remove(call: Call) -> Iterator[str]:
        wanted = {"wallet": options.wallet, "contracts": str(options.contracts).lower()}
        yield f"{call('DELETE', wanted)['removed']} secrets of {options.wallet} were removed."

    return _run(REMOVE_SECRETS, remove)


def _parser(command: str, description: str) -> argparse.ArgumentParser:
    return argparse.ArgumentParser(
        prog=f"{_PROGRAM} {command}",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def _run(command: str, lines: Callable[[Call], Iterator[str]]) -> int:
    try:
        settings = load(SmsSettings)
        for line in lines(lambda method, parameters: _call(settings, method, parameters)):
            sys.stdout.write(f"{line}\n")
    except SettingsError as error:
        problems, code = error.problems, EXIT_SETTINGS
    except AdminCallFailed as problem:
        problems, code = (str(problem),), EXIT_FAILED
    else:
        return EXIT_OK
    for each in problems:
        sys.stderr.write(f"{_PROGRAM} {command}: {each}\n")
    return code


def _list(call: Call, limit: int) -> Iterator[str]:
    yield f"{'wallet':42}  {'secrets':>8}  {'bytes':>12}  {'deposit':>16}  kinds"
    shown, token = 0, ""
    while True:
        answer = call("GET", {"pageToken": token})
        for owner in answer["owners"]:
            yield _line(owner)
            shown += 1
            if shown == limit:
                return
        token = answer["nextPageToken"]
        if not token:
            return


def _line(owner: Mapping[str, Any]) -> str:
    deposit = "unknown" if owner["deposit"] is None else rlc(int(owner["deposit"]))
    kinds = ", ".join(f"{number} {kind}" for kind, number in owner["kinds"].items())
    return f"{owner['wallet']:42}  {owner['secrets']:>8}  {owner['bytes']:>12}  {deposit:>16}  {kinds}"


def _call(settings: SmsSettings, method: str, parameters: Mapping[str, str]) -> Any:
    if settings.admin_api_key is None:
        raise AdminCallFailed("set IEXEC_SMS_ADMIN_API_KEY to the key of the running SMS")
    bound = settings.http_bind
    host, port = "127.0.0.1" if bound in _EVERY_INTERFACE else bound, settings.http_port
    connection = _connection(host, port, tls=settings.tls_certificate is not None)
    key = settings.admin_api_key.get_secret_value()
    try:
        connection.request(method, f"{_PATH}?{urlencode(parameters)}", headers={"X-API-KEY": key})
        answer = connection.getresponse()
        status, content = answer.status, json.loads(answer.read())
    except (OSError, http.client.HTTPException, ValueError) as problem:
        raise AdminCallFailed(
            f"no SMS answers at {host} port {port} ({problem}); start it, or run this command where it runs"
        ) from problem
    finally:
        connection.close()
    if status != http.client.OK:
        raise AdminCallFailed(str(content.get("error", f"HTTP {status}")))
    return content


def _connection(host: str, port: int, *, tls: bool) -> http.client.HTTPConnection:
    if not tls:
        return http.client.HTTPConnection(host, port, timeout=_LIMIT_S)
    # The certificate names the SMS for others. Here the SMS of this host or container answers.
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return http.client.HTTPSConnection(host, port, timeout=_LIMIT_S, context=context)
