"""Command line of the proxy: `cd tests && python -m sequencer --upstream http://127.0.0.1:8545 --port 8546`."""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import sys
from typing import Any

from workerpool_devnet.processes.signals import until_signalled

from sequencer.behaviour import SHAPES, Behaviour
from sequencer.errors import LOG_WORDS
from sequencer.proxy import BEHAVIOUR_PATH, CALLS_PATH, Proxy


def parser() -> argparse.ArgumentParser:
    """Return the parser: one option for each switch of `Behaviour`."""
    made = argparse.ArgumentParser(
        prog="python -m sequencer",
        description="A JSON-RPC proxy before anvil. Start it, then `make devnet CHAIN_ID=421614 BLOCK_TIME=0.25 "
        "CHAIN_PORT=8545 NODE_URL=http://127.0.0.1:8546`. "
        f"PUT {BEHAVIOUR_PATH} with a JSON object changes switches while it runs; GET {CALLS_PATH} counts calls.",
    )
    made.add_argument("--upstream", default="http://127.0.0.1:8545", help="address of anvil")
    made.add_argument("--port", type=int, default=8546, help="port to listen on")
    made.add_argument("--seed", type=int, default=0, help="seed of every random choice")
    made.add_argument(
        "--shape", choices=[*SHAPES], default="sequencer", help="behaviour that the other options change"
    )
    made.add_argument(
        "--list-log-words", action="store_true", help="print the words for --log-words, and end"
    )
    for switch in dataclasses.fields(Behaviour):
        name, text = "--" + switch.name.replace("_", "-"), str(switch.metadata["help"])
        if isinstance(switch.default, bool):
            made.add_argument(name, action=argparse.BooleanOptionalAction, help=text)
        else:
            made.add_argument(name, type=type(switch.default), metavar=_metavar(switch.default), help=text)
    return made


def behaviour_of(arguments: argparse.Namespace) -> Behaviour:
    """Return the shape with the switches that were given."""
    given = {
        switch.name: value
        for switch in dataclasses.fields(Behaviour)
        if (value := getattr(arguments, switch.name)) is not None
    }
    return SHAPES[arguments.shape].changed(given)


def _metavar(default: object) -> str:
    return "WORDS" if isinstance(default, str) else "N"


async def _serve(arguments: argparse.Namespace) -> None:
    proxy = Proxy(arguments.upstream, behaviour_of(arguments), port=arguments.port, seed=arguments.seed)
    async with proxy:
        print(f"{proxy.url} before {arguments.upstream}", file=sys.stderr, flush=True)
        await asyncio.Event().wait()


def main() -> None:
    """Run the command line."""
    arguments: Any = parser().parse_args()
    if arguments.list_log_words:
        for name, (code, message) in LOG_WORDS.items():
            print(f"{name:<10} {code:>7}  {message}")
        return
    asyncio.run(until_signalled(_serve(arguments)))


if __name__ == "__main__":
    main()
