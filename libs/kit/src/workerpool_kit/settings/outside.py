"""Settings of the HTTP proxy for calls outside the pool: nodes, downloads, markets, IPFS gateways, registries.

Calls between the services of a pool never use one.
"""

import os
from collections.abc import MutableMapping

from pydantic import BaseModel, ConfigDict

from workerpool_kit.settings.base import env
from workerpool_kit.settings.types import Port
from workerpool_kit.targets import service_url

_PROTOCOLS = ("http", "https")


class OutsideSettings(BaseModel):
    """Mix-in for a service that calls servers outside of the pool."""

    model_config = ConfigDict(frozen=True)

    http_proxy_host: str = env(
        "IEXEC_HTTP_PROXY_HOST",
        "",
        doc="Host of the HTTP proxy for http URLs outside of the pool; replaces http_proxy. Servers in no_proxy, and "
        "the pool's own services, are reached directly",
    )
    http_proxy_port: Port = env("IEXEC_HTTP_PROXY_PORT", 80, doc="Port of that proxy")
    https_proxy_host: str = env(
        "IEXEC_HTTPS_PROXY_HOST",
        "",
        doc="Host of the HTTP proxy for https URLs outside of the pool (by CONNECT); replaces https_proxy",
    )
    https_proxy_port: Port = env("IEXEC_HTTPS_PROXY_PORT", 443, doc="Port of that proxy")


def name_proxies(settings: object, environ: MutableMapping[str, str] | None = None) -> None:
    """Export the configured proxies to the environment, where every HTTP library of the process reads them.

    Call it before the first call outside the pool. Settings without `OutsideSettings` change nothing.
    """
    if not isinstance(settings, OutsideSettings):
        return
    environ = os.environ if environ is None else environ
    for protocol in _PROTOCOLS:
        host = getattr(settings, f"{protocol}_proxy_host")
        if host:
            url = service_url("http", host, getattr(settings, f"{protocol}_proxy_port"))
            environ[f"{protocol}_proxy"] = url
