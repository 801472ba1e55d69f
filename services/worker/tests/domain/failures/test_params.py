"""Deal parameters: what is refused, and what is replaced by the pool's own proxy."""

import pytest
from workerpool_worker.domain.failures.params import params_problem, storage_fallback

from services.worker.tests.harness.builders import task

PROXY = "http://proxy.test:13200"


def test_encryption_standard_is_refused() -> None:
    assert "iexec_result_encryption" in (params_problem(task(result_encryption=True)) or "")


def test_storage_params_are_no_problem() -> None:
    assert params_problem(task(result_storage_provider="dropbox", result_storage_proxy="x")) is None


@pytest.mark.parametrize("url", ["https://result.example", "http://proxy.test:13201", "x", "http://a b"])
def test_deal_proxy_url_of_a_stranger_is_ignored_with_a_message(url: str) -> None:
    assert "is not the pool's" in (storage_fallback(task(result_storage_proxy=url), PROXY) or "")


@pytest.mark.parametrize("url", ["", PROXY, PROXY + "/", "HTTP://PROXY.TEST:13200"])
def test_the_pools_own_proxy_is_not_reported(url: str) -> None:
    assert storage_fallback(task(result_storage_proxy=url), PROXY) is None


@pytest.mark.parametrize("provider", ["dropbox", "s3", "ipfs2"])
def test_an_unknown_storage_provider_is_ignored_with_a_message(provider: str) -> None:
    assert repr(provider) in (storage_fallback(task(result_storage_provider=provider), PROXY) or "")
