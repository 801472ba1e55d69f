"""Addresses: which are spoken to with TLS, and which are refused."""

import pytest
from workerpool_client.errors import WorkerpoolError
from workerpool_client.targets import check_cleartext, parse_target


@pytest.mark.parametrize(
    ("text", "address", "tls"),
    [
        ("localhost:23000", "localhost:23000", False),
        ("127.0.0.1:23000", "127.0.0.1:23000", False),
        ("[::1]:23000", "[::1]:23000", False),
        ("[::ffff:127.0.0.1]:23000", "[::ffff:127.0.0.1]:23000", False),
        ("pool.example.com:23000", "pool.example.com:23000", True),
        ("dns:///pool.example.com:23000", "pool.example.com:23000", True),
        ("dns:///localhost:23000", "localhost:23000", False),
        ("https://pool.example.com", "pool.example.com:443", True),
        ("https://pool.example.com/", "pool.example.com:443", True),
        ("https://localhost:8443", "localhost:8443", True),
        ("http://pool.example.com:23000", "pool.example.com:23000", False),
    ],
)
def test_an_address_says_whether_it_wants_tls(text: str, address: str, tls: bool) -> None:
    target = parse_target(text)
    assert (target.address, target.tls) == (address, tls)


@pytest.mark.parametrize(
    "text",
    ["", "localhost", "http://pool.example.com", "ftp://pool:1", "pool:99999", "https://pool/page", ":1"],
)
def test_anything_else_is_refused_with_the_forms(text: str) -> None:
    with pytest.raises(WorkerpoolError, match=r"^INVALID_TARGET: .+; write host:port"):
        parse_target(text)


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("http://192.0.2.1:1", True),
        ("https://192.0.2.1:1", False),
        ("192.0.2.1:1", False),
        ("http://127.0.0.1:1", False),
    ],
)
def test_credentials_in_clear_stay_on_this_host(text: str, refused: bool) -> None:
    target = parse_target(text)
    check_cleartext(target, allowed=True)
    if refused:
        with pytest.raises(WorkerpoolError, match=r"^CLEARTEXT_REFUSED: "):
            check_cleartext(target, allowed=False)
    else:
        check_cleartext(target, allowed=False)
