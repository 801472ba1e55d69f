"""URLs of input files and datasets: strict parsing, and a form for messages without secrets."""

import re
from dataclasses import dataclass, field
from urllib.parse import quote, unquote, urljoin

from yarl import URL

from workerpool_worker.domain.fetching.addresses import IpAddress, literal_address

MAX_URL_CHARACTERS = 8_000
_SHOWN_CHARACTERS = 300
_MALFORMED_CHARACTERS = 100
_DEFAULT_PORTS = {"http": 80, "https": 443}
_HIGHEST_PORT = 65_535
_MAX_HOST_CHARACTERS = 253
_URL_SAFE = "!#$%&'()*+,/:;=?@[]~"
"""Characters that stay as they are in a path and a query: the reserved ones and the escape character."""
_UNUSABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters and lone surrogates."""
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_AUTHORITY = re.compile(r"//([^/?#]*)")
_HOST_AND_PORT = re.compile(r"(?P<host>\[[^\[\]]*\]|[^\[\]:]*)(?::(?P<port>[^:]*))?")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")


class InvalidUrl(ValueError):
    """The text is not a URL that the worker downloads. The message names the defect and no secret."""


@dataclass(frozen=True, slots=True)
class DownloadUrl:
    """A valid http or https URL. `host` is an ASCII name in lower case, or the canonical text of an address."""

    scheme: str
    host: str
    port: int
    path: str
    query: str = field(repr=False)
    user: str | None = field(default=None, repr=False)
    password: str = field(default="", repr=False)
    address: IpAddress | None = None
    """The address that `host` spells, None if it is a name."""

    @property
    def origin(self) -> tuple[str, str, int]:
        """Scheme, host and port: what credentials are bound to."""
        return self.scheme, self.host, self.port

    @property
    def authority(self) -> str:
        """Host, and port unless it is the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def request_text(self) -> str:
        """The URL to request: without credentials, unsafe characters escaped, existing escapes unchanged.

        Signatures in a URL cover its exact escapes.
        """
        query = f"?{quote(self.query, safe=_URL_SAFE)}" if self.query else ""
        return f"{self.scheme}://{self.authority}{quote(self.path, safe=_URL_SAFE) or '/'}{query}"

    def __str__(self) -> str:
        """Return the URL for messages: without credentials and query, which often contain secrets."""
        return _printable(f"{self.scheme}://{self.authority}{self.path}")[:_SHOWN_CHARACTERS]

    def redirect(self, location: str) -> "DownloadUrl":
        """Return the URL that a redirect leads to. Credentials stay only within one origin. Raises `InvalidUrl`."""
        try:
            joined = urljoin(self.request_text, location)
        except ValueError as malformed:
            raise InvalidUrl("the URL is malformed") from malformed
        target = parse_url(joined)
        if target.user is None and target.origin == self.origin:
            return DownloadUrl(
                target.scheme,
                target.host,
                target.port,
                target.path,
                target.query,
                self.user,
                self.password,
                target.address,
            )
        return target


def parse_url(text: str) -> DownloadUrl:
    """Return the parts of an http or https URL. Raises `InvalidUrl`.

    The grammar is RFC 3986's. Spaces and non-ASCII characters in path and query are accepted, since they can be escaped
    in one way only. Whatever readers of URLs disagree on is refused: backslashes, control characters, two `@`.
    """
    if not text:
        raise InvalidUrl("the URL is empty")
    if len(text) > MAX_URL_CHARACTERS:
        raise InvalidUrl(f"the URL has {len(text)} characters, more than {MAX_URL_CHARACTERS}")
    shown = without_secrets(text)
    if _UNUSABLE.search(text):
        raise InvalidUrl(f"the URL {shown} contains control characters")
    scheme = _SCHEME.match(text)
    if scheme is None:
        raise InvalidUrl(f"{shown} is not a URL: it does not begin with http:// or https://")
    if scheme[1].lower() not in _DEFAULT_PORTS:
        raise InvalidUrl(f"only http and https files can be downloaded, not {shown}")
    authority = _AUTHORITY.match(text, scheme.end())
    if authority is None or not authority[1]:
        raise InvalidUrl(f"the URL {shown} names no host")
    path, _, query = text[authority.end() :].partition("#")[0].partition("?")
    user, password, host, port = _split_authority(authority[1], scheme[1].lower(), shown)
    address, host = _address_and_host(host, shown)
    return DownloadUrl(scheme[1].lower(), host, port, path, query, user, password, address)


def _split_authority(authority: str, scheme: str, shown: str) -> tuple[str | None, str, str, int]:
    user_info, at, host_and_port = authority.rpartition("@")
    if "@" in user_info or "\\" in authority or " " in user_info:
        raise InvalidUrl(f"the URL {shown} has malformed credentials")
    match = _HOST_AND_PORT.fullmatch(host_and_port)
    if match is None:
        raise InvalidUrl(f"the URL {shown} has a malformed host")
    port = match["port"] or str(_DEFAULT_PORTS[scheme])
    if not (port.isascii() and port.isdigit()) or len(port) > 5 or not 0 < int(port) <= _HIGHEST_PORT:
        raise InvalidUrl(f"the URL {shown} has a port that is not between 1 and {_HIGHEST_PORT}")
    user, _, password = user_info.partition(":")
    return (unquote(user) if at and user_info else None), unquote(password), match["host"], int(port)


def _address_and_host(host: str, shown: str) -> tuple[IpAddress | None, str]:
    if host.startswith("["):
        text = host[1:-1]
        if ":" not in text:
            raise InvalidUrl(f"the URL {shown} has a malformed IPv6 address")
    else:
        text = _ascii_name(host, shown)
    try:
        address = literal_address(text)
    except ValueError:
        raise InvalidUrl(f"the URL {shown} has a malformed IP address") from None
    return address, text if address is None else str(address)


def _ascii_name(host: str, shown: str) -> str:
    """Return a host name as DNS knows it: lower case, internationalized labels encoded, no dot at the end."""
    if not host:
        raise InvalidUrl(f"the URL {shown} names no host")
    try:
        name = (URL.build(scheme="http", host=host).raw_host or "") if not host.isascii() else host
    except ValueError:
        name = ""
    name = name.lower().removesuffix(".")
    if len(name) > _MAX_HOST_CHARACTERS or not all(_LABEL.fullmatch(label) for label in name.split(".")):
        raise InvalidUrl(f"the URL {shown} has a malformed host")
    return name


def without_secrets(text: str) -> str:
    """Return a text that may not be a URL for messages: without what may be credentials, query or content."""
    scheme, colon, rest = text.partition(":")
    if colon and not rest.startswith("//"):
        return _printable(f"{scheme[:_MALFORMED_CHARACTERS]}:…")
    visible = re.split(r"[?#]", rest, maxsplit=1)[0].removeprefix("//").rpartition("@")[2]
    shown = f"{scheme}://{visible}" if colon else re.split(r"[?#]", text, maxsplit=1)[0].rpartition("@")[2]
    cut = _printable(shown)
    return cut if len(cut) <= _MALFORMED_CHARACTERS else f"{cut[:_MALFORMED_CHARACTERS]}…"


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else f"\\x{ord(character):02x}" for character in text)
