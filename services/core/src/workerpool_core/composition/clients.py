"""Clients of the other services."""

from workerpool_kit.grpc.client import open_service
from workerpool_kit.process import StartupError

from workerpool_core.adapters.grpc.adapter_journal import AdapterJournal
from workerpool_core.adapters.grpc.chain_adapter import ChainAdapterClient
from workerpool_core.adapters.grpc.owner_wallet import OwnerWalletReader
from workerpool_core.adapters.grpc.result_proxy import ResultProxyClient
from workerpool_core.adapters.grpc.sms import SmsClient
from workerpool_core.app.engine.engine import Engine
from workerpool_core.composition.parts import Parts
from workerpool_core.settings import CoreSettings


def chain_adapter(
    parts: Parts, engine: Engine
) -> tuple[ChainAdapterClient, OwnerWalletReader, AdapterJournal]:
    """Return the client of the chain adapter, the reader of its wallet, and the reader of its journal.


    Raises StartupError when its URL is malformed.
    """
    settings = parts.settings
    try:
        channel = open_service(
            settings.url_of("chain_adapter"),
            target=settings.chain_adapter_grpc,
            basic=(settings.chain_adapter_username, settings.chain_adapter_password.get_secret_value()),
        )
    except ValueError as error:
        raise StartupError(f"IEXEC_CORE_CHAIN_ADAPTER_URL: {error}") from error
    parts.stack.push_async_callback(channel.close, None)
    client = ChainAdapterClient(channel, engine.submit)
    parts.stack.push_async_callback(client.close)
    return client, OwnerWalletReader(channel), AdapterJournal(channel)


def result_proxy(parts: Parts, settings: CoreSettings, engine: Engine) -> ResultProxyClient:
    """Return the client of the result proxy."""
    client = ResultProxyClient(settings.url_of("result_proxy"), engine.submit)
    parts.stack.push_async_callback(client.close)
    return client


def sms(parts: Parts, engine: Engine) -> SmsClient:
    """Return the client of the platform registry and the SMS."""
    settings = parts.settings
    client = SmsClient(
        settings.platform_registry_url,
        settings.platform_registry_stack,
        settings.platform_registry_label,
        parts.wallet,
        engine.submit,
    )
    parts.stack.push_async_callback(client.close)
    return client
