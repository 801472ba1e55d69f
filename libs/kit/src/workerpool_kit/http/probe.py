"""Query the health of this container's process: the health check of an image, without a shell or curl.

`python -m workerpool_kit.http.probe VARIABLE=PORT` queries the HTTP port in the environment variable, else PORT.
The exit code is 0 for UP; the line that it prints names each component that is out of service. With `--liveness` the
process only has to answer. It imports the standard library only, because it runs every few seconds.
"""

import http.client
import json
import os
import ssl
import sys
from collections.abc import Mapping, Sequence
from typing import NamedTuple

_PATHS = {False: "/actuator/health", True: "/actuator/health/liveness"}
_LIMIT_S = 4.0
_LARGEST = 65_536
_EVERY_INTERFACE = ("", "::", "0.0.0.0")
EXIT_UP, EXIT_DOWN, EXIT_USAGE = 0, 1, 2


class Endpoint(NamedTuple):
    """The HTTP port of the process."""

    host: str
    port: int
    tls: bool


def endpoint(argument: str, environ: Mapping[str, str]) -> Endpoint:
    """Return where the process of this container serves HTTP; `argument` is `VARIABLE=PORT`. Raises ValueError."""
    variable, _, default = argument.partition("=")
    bound = environ.get("WORKERPOOL_HTTP_BIND_ADDRESS", "")
    return Endpoint(
        "127.0.0.1" if bound in _EVERY_INTERFACE else bound,
        int(environ.get(variable) or default),
        bool(environ.get("WORKERPOOL_TLS_CERTIFICATE")),
    )


def ask(where: Endpoint, *, liveness: bool = False, limit_s: float = _LIMIT_S) -> tuple[bool, str]:
    """Return whether the process is healthy, and one line about it."""
    # The peer is the process of this container, which shares the loopback interface with nothing else.
    context = ssl._create_unverified_context() if where.tls else None
    connection = (
        http.client.HTTPSConnection(where.host, where.port, timeout=limit_s, context=context)
        if context is not None
        else http.client.HTTPConnection(where.host, where.port, timeout=limit_s)
    )
    try:
        connection.request("GET", _PATHS[liveness])
        answer = connection.getresponse()
        return answer.status == http.client.OK, summary(answer.status, answer.read(_LARGEST))
    except (OSError, http.client.HTTPException) as problem:
        return False, f"no answer at {where.host} port {where.port}: {problem}"
    finally:
        connection.close()


def summary(status: int, body: bytes) -> str:
    """Return the status of a health answer, and each component that is not up with its problem, in one line."""
    try:
        told = json.loads(body)
        components = told.get("components", {}).items()
        down = [_component(name, state) for name, state in components if state["status"] != "UP"]
        return "; ".join([str(told["status"]), *down])
    except (ValueError, KeyError, TypeError, AttributeError):
        return f"HTTP {status} without a health document"


def _component(name: str, state: Mapping[str, Mapping[str, object]]) -> str:
    details = state.get("details", {})
    problem = details.get("problem") or details.get("error") or state["status"]
    return f"{name}: {problem}"


def main(arguments: Sequence[str]) -> int:
    """Run the health check; return its exit code."""
    liveness = "--liveness" in arguments
    named = [argument for argument in arguments if argument != "--liveness"]
    try:
        (argument,) = named
        where = endpoint(argument, os.environ)
    except ValueError:
        sys.stderr.write("usage: python -m workerpool_kit.http.probe VARIABLE=PORT [--liveness]\n")
        return EXIT_USAGE
    healthy, line = ask(where, liveness=liveness)
    sys.stdout.write(f"{line}\n")
    return EXIT_UP if healthy else EXIT_DOWN


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
