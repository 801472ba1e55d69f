"""Routes: which URLs take the operator's proxy."""

import pytest
from workerpool_worker.adapters.http_downloads.routes import Routes
from workerpool_worker.domain.fetching.urls import parse_url

from services.worker.tests.adapters.http_downloads.conftest import LIMITS
from services.worker.tests.doubles.file_server import FileServer


@pytest.mark.parametrize(
    ("variables", "through_proxy"),
    [({}, False), ({"http_proxy": "{}"}, True), ({"http_proxy": "{}", "no_proxy": "127.0.0.1"}, False)],
    ids=["no proxy", "proxy", "exempt from the proxy"],
)
async def test_the_environment_names_the_proxy(
    monkeypatch: pytest.MonkeyPatch, files: FileServer, variables: dict[str, str], through_proxy: bool
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value.format(files.url))
    target = FileServer()
    await target.start()
    routes = Routes(LIMITS)
    response, used_proxy = await routes.get(parse_url(f"{target.url}/x"), is_operators=False)
    response.close()
    await routes.close()
    await target.stop()
    assert used_proxy is through_proxy
    assert (len(files.exchanges), len(target.exchanges)) == ((1, 0) if through_proxy else (0, 1))
