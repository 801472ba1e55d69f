"""The settings: documented names, ranges, and one price."""

import pytest
from workerpool_kit.settings.environment import SettingsError, load
from workerpool_order_publisher.settings import OrderPublisherSettings

REQUIRED = {
    "ORDER_PUBLISHER_WALLET_PATH": "wallet.json",
    "ORDER_PUBLISHER_WALLET_PASSWORD": "a password",
    "POOL_ADDRESS": "0x" + "ab" * 20,
    "MARKET_API_URL": "https://market:3000/",
    "IEXEC_CORE_OPERATOR_USERNAME": "ops",
    "IEXEC_CORE_OPERATOR_PASSWORD": "another password",
}


def settings(**environ: str) -> OrderPublisherSettings:
    return load(OrderPublisherSettings, REQUIRED | environ)


def test_the_defaults_sell_free_tasks_of_category_0_with_trust_1() -> None:
    found = settings()
    assert (found.prices, found.categories, found.trust, found.volume) == ((0, 0), (0,), 1, 1)
    assert found.tag == "0x" + "00" * 32
    assert found.market_url == "https://market:3000"


def test_a_range_of_prices_and_several_categories_are_read() -> None:
    found = settings(WORKERPOOL_PRICE_MIN="5", WORKERPOOL_PRICE_MAX="9", CATEGORY="2,0", TAG="0x100")
    assert (found.prices, found.categories) == ((5, 9), (2, 0))
    assert found.tag == f"0x{0x100:064x}"


@pytest.mark.parametrize(
    ("variable", "environ"),
    [
        ("WORKERPOOL_PRICE", {"WORKERPOOL_PRICE": "-1"}),
        (
            "WORKERPOOL_PRICE",
            {"WORKERPOOL_PRICE": "1", "WORKERPOOL_PRICE_MIN": "1", "WORKERPOOL_PRICE_MAX": "2"},
        ),
        ("WORKERPOOL_PRICE_MIN", {"WORKERPOOL_PRICE_MIN": "1"}),
        ("WORKERPOOL_PRICE_MIN", {"WORKERPOOL_PRICE_MIN": "3", "WORKERPOOL_PRICE_MAX": "2"}),
        ("CATEGORY", {"CATEGORY": "1,1"}),
        ("TAG", {"TAG": "gpu"}),
        ("TAG", {"TAG": "0x1" + "00" * 32}),
        ("ORDER_PUBLISHER_OPERATOR_USERNAME", {"ORDER_PUBLISHER_OPERATOR_USERNAME": "ops"}),
        ("ORDER_PUBLISHER_PRICE", {"ORDER_PUBLISHER_PRICE": "1"}),
        ("POOL_ADDRESS", {"POOL_ADDRESS": ""}),
        ("IEXEC_CORE_OPERATOR_PASSWORD", {"IEXEC_CORE_URL": "http://core:13000"}),
        ("IEXEC_CORE_OPERATOR_PASSWORD", {"ORDER_PUBLISHER_CORE_GRPC_TARGET": "core:23000"}),
        ("MARKET_API_URL", {"MARKET_API_URL": "http://market.example"}),
        ("ORDER_PUBLISHER_CANCEL_ON_CHAIN", {"ORDER_PUBLISHER_CANCEL_ON_CHAIN": "always"}),
        ("ORDER_PUBLISHER_CANCEL_ON_CHAIN", {"ORDER_PUBLISHER_CANCEL_ON_CHAIN": "sometimes"}),
        (
            "ORDER_PUBLISHER_CHAIN_ADAPTER_PASSWORD",
            {
                "ORDER_PUBLISHER_CHAIN_ADAPTER_PASSWORD": "a password",
                "ORDER_PUBLISHER_CHAIN_ADAPTER_URL": "http://adapter:13010",
            },
        ),
    ],
)
def test_a_bad_value_is_refused_by_the_name_of_its_variable(variable: str, environ: dict[str, str]) -> None:
    with pytest.raises(SettingsError) as refused:
        settings(**environ)
    assert str(refused.value).startswith(variable + ":")


def test_passwords_and_signatures_may_leave_the_host_without_tls_when_the_operator_says_so() -> None:
    found = settings(
        IEXEC_CORE_URL="http://core:13000",
        MARKET_API_URL="http://market:3000",
        WORKERPOOL_ALLOW_CLEARTEXT="true",
    )
    assert (found.core_url, found.market_url) == ("http://core:13000", "http://market:3000")
