"""Credentials without TLS: on this host only, unless the operator allows them."""

import pytest
from workerpool_kit.tls.cleartext import CleartextRefused, allow_cleartext, check_cleartext


@pytest.mark.parametrize(
    "address",
    [
        "https://core.example",
        "http://localhost:13000",
        "127.0.0.1:23000",
        "[::1]:23000",
        "http://[::1]:13000",
    ],
)
def test_tls_and_this_host_are_accepted(address: str) -> None:
    check_cleartext(address, "the password")


@pytest.mark.parametrize(
    "address", ["http://core:13000", "core:23000", "http://[fd00::2]:13000", "10.0.0.2:1", ""]
)
def test_another_host_without_tls_is_refused_and_the_setting_named(address: str) -> None:
    with pytest.raises(
        CleartextRefused, match=r"the password would travel .*WORKERPOOL_ALLOW_CLEARTEXT=true"
    ):
        check_cleartext(address, "the password")


def test_the_operator_may_allow_it() -> None:
    check_cleartext("http://core:13000", "the password", allowed=True)
    before = allow_cleartext(True)
    try:
        check_cleartext("http://core:13000", "the password")
    finally:
        allow_cleartext(before)
    assert before is False
