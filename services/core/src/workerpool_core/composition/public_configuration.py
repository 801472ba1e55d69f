"""The pool's public configuration for workers."""

from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.encoding.keccak import keccak

from workerpool_core.app.running import PublicConfiguration
from workerpool_core.settings import CoreSettings


def public_configuration(settings: CoreSettings, wallet: Wallet, version: str) -> PublicConfiguration:
    """Return the public configuration; its hash changes exactly when one of its fields does."""
    fields = (
        settings.pool_address,
        wallet.address,
        settings.url_of("config_server"),
        settings.url_of("result_proxy"),
        settings.required_worker_version,
        version,
    )
    return PublicConfiguration(*fields, hash="0x" + keccak("\n".join(fields).encode()).hex())
