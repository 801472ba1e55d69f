"""Values that arrive as text: addresses, URLs, ports, durations."""

import pytest
from pydantic import TypeAdapter, ValidationError
from workerpool_kit.settings.types import (
    BindAddress,
    EthAddress,
    Port,
    Url,
    checksum_address,
    iso_duration,
    parse_duration,
)

# Examples of EIP-55.
CHECKSUMMED = [
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "0x52908400098527886E0F7030069857D2E4169EE7",
    "0xde709f2102306220921060314715629080e2fb77",
]


@pytest.mark.parametrize("address", CHECKSUMMED)
def test_address_is_spelled_as_eip_55_says(address: str) -> None:
    assert checksum_address(address.lower()) == address
    for spelled in (address, address.lower(), "0x" + address[2:].upper()):
        assert TypeAdapter(EthAddress).validate_python(spelled) == address


@pytest.mark.parametrize("wrong", [CHECKSUMMED[0].replace("aA", "Aa"), "0x12", "hub.eth"])
def test_wrong_address_is_refused(wrong: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(EthAddress).validate_python(wrong)


@pytest.mark.parametrize(
    ("given", "kept"), [("127.0.0.1", "127.0.0.1"), ("[::1]", "::1"), ("0:0:0:0:0:0:0:1", "::1")]
)
def test_a_bind_address_is_an_ip_address(given: str, kept: str) -> None:
    assert TypeAdapter(BindAddress).validate_python(given) == kept


@pytest.mark.parametrize("wrong", ["localhost", "", "1.2.3", "127.0.0.1:80", "*"])
def test_a_wrong_bind_address_is_refused(wrong: str) -> None:
    with pytest.raises(ValidationError, match=r"0\.0\.0\.0"):
        TypeAdapter(BindAddress).validate_python(wrong)


def test_url_loses_its_last_slash() -> None:
    assert TypeAdapter(Url).validate_python("http://[::1]:8888/") == "http://[::1]:8888"


@pytest.mark.parametrize(
    "wrong", ["ftp://a", "http://", "http://a:0", "http://a:99999", "a:1", "http://[::1"]
)
def test_wrong_url_is_refused_without_repeating_it(wrong: str) -> None:
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(Url).validate_python(wrong)
    assert "expected a URL such as http://host:port" in refused.value.errors()[0]["msg"]


@pytest.mark.parametrize("wrong", ["-1", "65536", "http"])
def test_wrong_port_is_refused(wrong: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Port).validate_python(wrong)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("PT5S", 5), ("PT1M0.5S", 60.5), ("P1DT1H", 90_000), ("pt2h", 7_200), ("7", 7), ("0.5", 0.5), (3, 3)],
)
def test_duration_is_read_as_seconds(text: object, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "P", "PT", "P1Y", "-5", "PT-5S", "5s", "nan", "inf", True])
def test_other_text_is_no_duration(text: object) -> None:
    with pytest.raises(ValueError, match="ISO-8601"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("seconds", "text"), [(5, "PT5S"), (0.1, "PT0.1S"), (20, "PT20S"), (1.25, "PT1.25S")]
)
def test_duration_is_spelled_as_java_does(seconds: float, text: str) -> None:
    assert iso_duration(seconds) == text
    assert parse_duration(text) == seconds
