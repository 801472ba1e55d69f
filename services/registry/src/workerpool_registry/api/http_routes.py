"""HTTP routes of the registry: the documented paths of the config server and of Spring Cloud Config."""

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from workerpool_kit.chain.config import ChainConfig
from workerpool_kit.chain.config_route import config_chain_route

from workerpool_registry.app.platform import Platform
from workerpool_registry.domain.stack import merge_stack


def routes(chain: ChainConfig, platform: Platform) -> list[Route]:
    """Return `/config/chain` and the Spring Cloud Config paths `/application/<stack>[/<label>]`."""

    async def application(request: Request) -> JSONResponse:
        stack = request.path_params["stack"]
        label = request.path_params.get("label", "")
        files = platform.files(stack, label)
        # As in Spring, an unknown stack gets the properties of application.yml, or no property source.
        return JSONResponse(
            {
                "name": "application",
                "profiles": stack.split(","),
                "label": label or None,
                "version": merge_stack(stack, label, files).version if files else None,
                "state": None,
                "propertySources": [{"name": file.path, "source": file.values()} for file in files],
            }
        )

    return [
        config_chain_route(chain),
        Route("/application/{stack}", application),
        Route("/application/{stack}/{label:path}", application),
    ]
