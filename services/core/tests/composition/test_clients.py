"""Clients are built from the settings, and closed with the process."""

from contextlib import AsyncExitStack
from typing import Any, cast

import pytest
from workerpool_core.composition import clients
from workerpool_core.composition.parts import Parts
from workerpool_kit.process import Lifetime, StartupError
from workerpool_poco.chain.wallet import Wallet

from services.core.tests.doubles.settings import load

NO_ENGINE = cast(Any, type("NoEngine", (), {"submit": staticmethod(lambda event: None)}))


class CountingStack(AsyncExitStack):
    """Counts what will be closed."""

    closing = 0

    def push_async_callback(self, *arguments: Any, **named: Any) -> Any:
        self.closing += 1
        return super().push_async_callback(*arguments, **named)


def parts(stack: AsyncExitStack, **environ: str) -> Parts:
    return Parts(load(environ), cast(Lifetime, None), stack, Wallet.create(), "1.0")


async def test_a_malformed_address_of_the_adapter_names_its_variable() -> None:
    async with AsyncExitStack() as stack:
        broken = parts(stack)
        object.__setattr__(broken.settings, "chain_adapter_url", "http://[")
        with pytest.raises(StartupError, match="IEXEC_CORE_CHAIN_ADAPTER_URL"):
            clients.chain_adapter(broken, NO_ENGINE)


async def test_every_client_is_closed_with_the_stack() -> None:
    async with CountingStack() as stack:
        built = parts(stack)
        clients.chain_adapter(built, NO_ENGINE)
        clients.result_proxy(built, built.settings, NO_ENGINE)
        clients.sms(built, NO_ENGINE)
        assert stack.closing == 4  # three clients, and the adapter's channel
