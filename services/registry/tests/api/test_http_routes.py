"""HTTP answers as workers, schedulers and Spring clients read them."""

from collections.abc import AsyncIterator
from typing import Any

import http_calls
import pytest
from workerpool_kit.chain.config import ChainConfig
from workerpool_kit.health import Health
from workerpool_kit.http.server import HttpServer
from workerpool_registry.api.http_routes import routes
from workerpool_registry.app.platform import Platform


@pytest.fixture
async def url(chain: ChainConfig, platform: Platform) -> AsyncIterator[str]:
    server = HttpServer(0, health=Health(), version="1", routes=routes(chain, platform), host="127.0.0.1")
    await server.start()
    yield f"http://127.0.0.1:{server.port}"
    await server.stop()


async def test_chain_has_the_documented_fields(url: str, chain: ChainConfig) -> None:
    assert (await http_calls.get(f"{url}/config/chain")).json() == {
        "chainId": 134,
        "sidechain": True,
        "chainNodeUrl": "https://node.example",
        "iexecHubContractAddress": chain.hub_address,
        "blockTime": "PT0.5S",
    }


async def test_stack_has_the_form_of_spring_cloud_config(url: str) -> None:
    answer: dict[str, Any] = (await http_calls.get(f"{url}/application/prod")).json()
    assert (answer["name"], answer["profiles"], answer["label"]) == ("application", ["prod"], None)
    assert answer["propertySources"] == [
        {"name": "application-prod.yml", "source": {"sms.scone": "http://scone:13300"}},
        {"name": "application.yml", "source": {"sms.tdx": "http://tdx:13300", "other": 5}},
    ]


async def test_unknown_label_has_no_property_source(url: str) -> None:
    answer = (await http_calls.get(f"{url}/application/prod/some/label")).json()
    assert (answer["label"], answer["propertySources"], answer["version"]) == ("some/label", [], None)
