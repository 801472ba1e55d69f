"""URLs of files: strict parsing, one reason per defect, no secret in a message."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from workerpool_worker.domain.fetching.urls import MAX_URL_CHARACTERS, InvalidUrl, parse_url

MALFORMED = {
    "http://a b/x": "malformed host",
    "http://host:99999/x": "port",
    "http:///x": "names no host",
    "ftp://h/x": "only http and https",
    "file:///etc/passwd": "only http and https",
    "data:,x": "only http and https",
    "": "empty",
    " ": "does not begin with http",
    " http://h/x": "does not begin with http",
    "h/x": "does not begin with http",
    "//h/x": "does not begin with http",
    "/etc/passwd": "does not begin with http",
    "http": "does not begin with http",
    "http:": "names no host",
    "http:/h/x": "names no host",
    "http:h": "names no host",
    "http://": "names no host",
    "http://?x": "names no host",
    "http://#x": "names no host",
    "http://:80/x": "names no host",
    "http://user@/x": "names no host",
    "http://h:0/x": "port",
    "http://h:65536/x": "port",
    "http://h:-1/x": "port",
    "http://h:+80/x": "port",
    "http://h:80a/x": "port",
    "http://h:８０/x": "port",
    "http://h:80:80/x": "malformed host",
    "http://[::1/x": "malformed host",
    "http://::1/x": "malformed host",
    "http://[]/x": "malformed IPv6",
    "http://[1.2.3.4]/x": "malformed IPv6",
    "http://[v1.x]/x": "malformed IPv6",
    "http://[::1]x/x": "malformed host",
    "http://[::g]/x": "malformed IP address",
    "http://[fe80::1%25eth0]/x": "malformed IP address",
    "http://[fe80::1%eth0]/x": "malformed IP address",
    "http://1.2.3.4.5/x": "malformed IP address",
    "http://256.1.1.1/x": "malformed IP address",
    "http://a..b/x": "malformed host",
    "http://.a/x": "malformed host",
    "http://a../x": "malformed host",
    "http://-a/x": "malformed host",
    "http://a-/x": "malformed host",
    "http://a%2eb/x": "malformed host",
    "http://%31%32%37.0.0.1/x": "malformed host",
    "http://" + "a" * 64 + ".test/x": "malformed host",
    "http://" + "a." * 130 + "test/x": "malformed host",
    "http://a*b/x": "malformed host",
    "http://a,b/x": "malformed host",
    "http://\u200b/x": "malformed host",
    "http://a\ufffd/x": "malformed host",
    "http://a\tb/x": "control characters",
    "http://a/\n": "control characters",
    "http://a/x\r\nHost: b": "control characters",
    "http://a\x00/x": "control characters",
    "http://a/\x7f": "control characters",
    "http://a/\ud800": "control characters",
    "http://good\\@evil/x": "malformed credentials",
    "http://evil\\x": "malformed credentials",
    "http://a@b@c/x": "malformed credentials",
    "http://a b@c/x": "malformed credentials",
    "javascript:alert(1)": "only http and https",
    "gopher://h": "only http and https",
    "ipfs://Qm": "only http and https",
    "s3://bucket/x": "only http and https",
    "https+unix://x": "only http and https",
    "http://h/" + "x" * MAX_URL_CHARACTERS: "more than",
}


@pytest.mark.parametrize(("text", "reason"), MALFORMED.items(), ids=lambda value: ascii(value)[:40])
def test_data_url_forms(text: str, reason: str) -> None:
    with pytest.raises(InvalidUrl, match=reason):
        parse_url(text)


@pytest.mark.parametrize(
    ("text", "requested"),
    [
        ("http://h", "http://h/"),
        ("HTTPS://H.Example:443/X", "https://h.example/X"),
        ("http://h:8080/x", "http://h:8080/x"),
        ("http://h:/x", "http://h/x"),
        ("http://h?x", "http://h/?x"),
        ("http://h/x#fragment", "http://h/x"),
        ("http://h./x", "http://h/x"),
        ("http://me:secret@h/x", "http://h/x"),
        ("http://h/a%2Fb%7Ec d?sig=x%3D%2By+z~é", "http://h/a%2Fb%7Ec%20d?sig=x%3D%2By+z~%C3%A9"),
        ("http://h/x?a=http://b@c/../d", "http://h/x?a=http://b@c/../d"),
        ("http://h/a@b", "http://h/a@b"),
        ("http://straße.de/ü", "http://xn--strae-oqa.de/%C3%BC"),
        ("http://例え.テスト/", "http://xn--r8jz45g.xn--zckzah/"),
        ("http://a_b.test/x", "http://a_b.test/x"),
        ("http://134744072/x", "http://8.8.8.8/x"),
        ("http://[2606:4700:0::1]:8080/x", "http://[2606:4700::1]:8080/x"),
        ("http://h/\\x", "http://h/%5Cx"),
    ],
)
def test_a_url_is_requested_with_its_own_escapes(text: str, requested: str) -> None:
    assert parse_url(text).request_text == requested


def test_credentials_are_decoded_and_never_shown() -> None:
    url = parse_url("http://m%40e:a%3Asecret@h/x?key=secret")
    assert (url.user, url.password) == ("m@e", "a:secret")
    assert str(url) == "http://h/x"
    assert "secret" not in repr(url)


@pytest.mark.parametrize(
    "text",
    [
        "ftp://user:secret@h/x?key=secret",
        "http://user:secret@h:99999/x?key=secret",
        "http://user:sec/secret@h:x/x#secret",
        "http://user:a@secret@h/x",
        "user:secret@h/x",
        "mailto:secret@h",
        "data:text/plain,secret",
        "h/x?secret",
    ],
)
def test_a_malformed_url_is_named_without_its_secrets(text: str) -> None:
    with pytest.raises(InvalidUrl) as refused:
        parse_url(text)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("text", ["http://h h/" + "x" * 5_000, "x" * 5_000, "http://h/\x1b[31m\u202e"])
def test_a_message_is_short_and_printable(text: str) -> None:
    with pytest.raises(InvalidUrl) as refused:
        parse_url(text)
    assert len(str(refused.value)) < 300
    assert str(refused.value).isprintable()


@given(st.text() | st.from_regex(r"https?://.*", fullmatch=True))
@example("http://h/\udfff")
def test_any_text_is_a_url_or_refused(text: str) -> None:
    try:
        url = parse_url(text)
    except InvalidUrl as refused:
        message = str(refused)
    else:
        message = str(url)
        assert parse_url(url.request_text).origin == url.origin
        assert url.request_text.isascii()
    assert message.isprintable()


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("/y", "http://h:81/y"),
        ("y", "http://h:81/a/y"),
        ("?q", "http://h:81/a/x?q"),
        ("//other/y", "http://other/y"),
        ("https://h:81/y", "https://h:81/y"),
        ("http://h:81/y#f", "http://h:81/y"),
    ],
)
def test_a_redirect_keeps_credentials_within_its_origin(location: str, expected: str) -> None:
    target = parse_url("http://me:secret@h:81/a/x").redirect(location)
    assert target.request_text == expected
    assert (target.user is not None) == (target.origin == ("http", "h", 81))
