"""Documents and texts without the secrets of a pool."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

HIDDEN = "***"

_SECRET_NAMES = re.compile(
    r"password|passwd|secret|private_?key|authorization|credential|api_?key|mnemonic|signature|cookie"
    r"|(?:^|[_-])token$|jwt|_pass$|dbpass",
    re.IGNORECASE,
)
_NAMES_A_FILE = re.compile(r"(?:_FILE|_PATH)$", re.IGNORECASE)
_IN_URL = re.compile(r"(?<=://)[^/@\s\"']+(?=@)")
_PATH_OF_URL = re.compile(r"(?P<origin>https?://[^/\s\"']+)/[^\s\"',)]*[0-9A-Za-z_-]{20,}[^\s\"',)]*")
"""A provider's key is often a long part of the path or query of a node's URL."""
_KEY_IN_PATH = re.compile(r"[0-9A-Za-z_-]{20,}")
_PRIVATE_KEY = re.compile(r"(?<![0-9a-fA-Fx])(?:[0-9a-fA-F]{64})(?![0-9a-fA-F])")
"""A key without 0x. Ids and hashes of this system have 0x."""
_PEM_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----", re.DOTALL)
_BEARER = re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}")
_SHORTEST_SECRET = 4


def names_secret(name: str) -> bool:
    """Return whether a setting or key of this name holds a secret; the path of a file with one is no secret."""
    return bool(_SECRET_NAMES.search(name)) and not _NAMES_A_FILE.search(name)


class Redaction:
    """Replaces secrets: values of keys that name one, everything that looks like one, and the known ones anywhere."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        """Take the secrets that are known, such as the passwords in the settings."""
        known = {each for each in secrets if len(each) >= _SHORTEST_SECRET}
        # The longest first: one secret may be a part of another one.
        self._known = [re.escape(each) for each in sorted(known, key=len, reverse=True)]
        self._known_pattern = re.compile("|".join(self._known)) if self._known else None

    def text(self, text: str) -> str:
        """Return a text without secrets."""
        if self._known_pattern is not None:
            text = self._known_pattern.sub(HIDDEN, text)
        text = _PEM_KEY.sub(HIDDEN, text)
        text = _IN_URL.sub(HIDDEN, text)
        text = _PATH_OF_URL.sub(rf"\g<origin>/{HIDDEN}", text)
        text = _BEARER.sub(rf"\1 {HIDDEN}", text)
        return _PRIVATE_KEY.sub(HIDDEN, text)

    def document(self, value: Any, name: str = "") -> Any:
        """Return a document without secrets, at any depth."""
        if isinstance(value, Mapping):
            return {self.text(str(key)): self.document(each, str(key)) for key, each in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.document(each, name) for each in value]
        if value not in (None, "", True, False) and names_secret(name):
            return HIDDEN
        return self.text(value) if isinstance(value, str) else value


def secrets_of(settings: Mapping[str, str]) -> set[str]:
    """Return the values of settings whose names say that they are secrets, and the credentials in their URLs."""
    found = {value for name, value in settings.items() if names_secret(name) and value}
    for value in settings.values():
        for credentials in _IN_URL.findall(value):
            found |= {credentials, *credentials.split(":", 1)[1:]}
        if "://" in value:
            found |= set(_KEY_IN_PATH.findall(value.partition("://")[2].partition("/")[2]))
    return found
