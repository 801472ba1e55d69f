"""The documented `GET /config/chain`, which the config server and the chain adapter answer alike, without password."""

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from workerpool_kit.chain.config import ChainConfig
from workerpool_kit.settings.types import iso_duration


def config_chain_route(chain: ChainConfig) -> Route:
    """Return the route that describes the pool's chain."""

    async def config_chain(_: Request) -> JSONResponse:
        return JSONResponse(
            {
                "chainId": chain.chain_id,
                "sidechain": chain.sidechain,
                "chainNodeUrl": chain.node_url,
                "iexecHubContractAddress": chain.hub_address,
                "blockTime": iso_duration(chain.block_time_s),
            }
        )

    return Route("/config/chain", config_chain)
