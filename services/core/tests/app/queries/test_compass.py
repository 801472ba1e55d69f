"""The compass knows one workerpool on one chain."""

import pytest
from workerpool_core.app.queries.compass import Compass, public_url
from workerpool_core.errors import UnknownWorkerpool

POOL = "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"
REACHED = "http://pool.example:13000"


@pytest.mark.parametrize("spelled", [POOL, POOL.lower(), "0x" + POOL[2:].upper()])
def test_the_pools_address_in_any_letter_case_has_the_public_url(spelled: str) -> None:
    assert Compass(POOL, 134, "https://api.example").api_url("134", spelled, REACHED) == "https://api.example"


def test_without_a_public_url_it_is_the_address_that_the_caller_reached() -> None:
    assert Compass(POOL, 134, "").api_url("134", POOL, REACHED) == REACHED


@pytest.mark.parametrize(
    ("chain", "pool"), [("1", POOL), ("0134", POOL), ("x", POOL), ("134", "0x" + "11" * 20), ("134", "pool")]
)
def test_another_pool_or_chain_is_refused_in_words(chain: str, pool: str) -> None:
    with pytest.raises(UnknownWorkerpool, match=f"workerpool {POOL} on chain 134"):
        Compass(POOL, 134, "").api_url(chain, pool, REACHED)


@pytest.mark.parametrize(
    ("configured", "host", "url"),
    [
        ("https://api.example/", "0.0.0.0", "https://api.example"),
        (None, "192.0.2.1", "http://192.0.2.1:13000"),
        (None, "2001:db8::1", "http://[2001:db8::1]:13000"),
        (None, "0.0.0.0", ""),
        (None, "::", ""),
    ],
)
def test_the_public_url_is_configured_or_that_of_the_bind_address(
    configured: str | None, host: str, url: str
) -> None:
    assert public_url(configured, host, 13000) == url
