"""The settings, as the documented variables give them."""

import pytest
from workerpool_kit.settings.environment import SettingsError, load
from workerpool_sms.domain.frameworks import Framework
from workerpool_sms.domain.limits import SecretLimits
from workerpool_sms.settings import SmsSettings

REQUIRED = {
    "IEXEC_CHAIN_ID": "134",
    "IEXEC_BLOCKCHAIN_NODE_ADDRESS": "http://localhost:8545",
    "IEXEC_HUB_ADDRESS": "0x" + "11" * 20,
}


def test_only_the_chain_must_be_named() -> None:
    settings = load(SmsSettings, REQUIRED)
    assert (settings.http_port, settings.mongo_port, settings.framework) == (13300, 13302, Framework.TDX)
    assert not settings.allow_unattested_sessions
    with pytest.raises(SettingsError) as refused:
        load(SmsSettings, {})
    assert [each.partition(":")[0] for each in refused.value.problems] == sorted(REQUIRED)


def test_what_strangers_store_has_limits() -> None:
    settings = load(SmsSettings, REQUIRED)
    assert settings.secret_limits == SecretLimits(per_wallet=10_000, total=1_000_000)
    assert settings.min_free == 256 << 20
    named = {
        "WORKERPOOL_SMS_MAX_SECRETS_PER_WALLET": "3",
        "WORKERPOOL_SMS_MAX_SECRETS": "20",
        "WORKERPOOL_SMS_MIN_FREE": "0",
    }
    settings = load(SmsSettings, REQUIRED | named)
    assert (settings.secret_limits, settings.min_free) == (SecretLimits(per_wallet=3, total=20), 0)
    with pytest.raises(SettingsError, match="WORKERPOOL_SMS_MAX_SECRETS"):
        load(SmsSettings, REQUIRED | {"WORKERPOOL_SMS_MAX_SECRETS": "0"})


@pytest.mark.parametrize(
    ("variable", "successor"),
    [
        ("IEXEC_SMS_H2_URL", "MONGO_URI"),
        ("IEXEC_IS_SIDECHAIN", "chain adapter"),
        ("IEXEC_GAS_PRICE_MULTIPLIER", "chain adapter"),
        ("IEXEC_GAS_PRICE_CAP", "chain adapter"),
    ],
)
def test_a_documented_variable_without_effect_is_accepted_and_has_a_successor(
    variable: str, successor: str
) -> None:
    load(SmsSettings, {**REQUIRED, variable: "x"})
    assert successor in SmsSettings.ignored_variables[variable]


@pytest.mark.parametrize(
    ("url", "audience"),
    [(None, "http://localhost:13300"), ("HTTPS://Sms.Example:443/", "https://sms.example")],
)
def test_the_audience_is_the_public_url(url: str | None, audience: str) -> None:
    named = {} if url is None else {"IEXEC_SMS_PUBLIC_URL": url}
    assert load(SmsSettings, REQUIRED | named).audience == audience
