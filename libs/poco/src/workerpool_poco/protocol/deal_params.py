"""Deal params: the requester's JSON text that tells the worker what to run."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from workerpool_poco.protocol.encoding.json_text import loads_bounded

_KEYS = frozenset(
    {
        "iexec_args",
        "iexec_input_files",
        "iexec_secrets",
        "iexec_result_encryption",
        "iexec_result_storage_provider",
        "iexec_result_storage_proxy",
        "bulk_cid",
    }
)


@dataclass(frozen=True, slots=True)
class DealParams:
    """The requester's parameters; an empty text means that the parameter is absent."""

    args: str = ""
    """The application's command line."""
    input_files: tuple[str, ...] = ()
    """URLs that the worker downloads before the application starts."""
    secrets: Mapping[str, str] = field(default_factory=dict)
    """Names of the requester's secrets by secret index (enclaves only)."""
    result_encryption: bool = False
    """Whether the worker encrypts the result for the beneficiary (enclaves only)."""
    result_storage_provider: str = ""
    """`ipfs` or `dropbox`; empty means IPFS."""
    result_storage_proxy: str = ""
    """URL of a result proxy to use instead of the pool's."""
    bulk_cid: str = ""
    """IPFS id of a list of datasets for bulk processing."""

    @classmethod
    def parse(cls, text: str) -> "DealParams":
        """Parse `deal.params`; never raise.

        A text that is not a JSON object of the known keys and types is the command line as a whole; the protocol
        defines it so. A result that such an object wants encrypted in any words is still not published as plain text.
        """
        encryption = False
        try:
            content = loads_bounded(text)
            if not isinstance(content, dict):
                return cls(args=text)
            encryption = _wants_encryption(content.get("iexec_result_encryption"))
            if not content.keys() <= _KEYS:
                return cls(args=text, result_encryption=encryption)
            return cls(
                args=_text(content, "iexec_args"),
                input_files=_texts(content.get("iexec_input_files")),
                secrets=_secrets(content.get("iexec_secrets")),
                result_encryption=_flag(content.get("iexec_result_encryption")),
                result_storage_provider=_text(content, "iexec_result_storage_provider"),
                result_storage_proxy=_text(content, "iexec_result_storage_proxy"),
                bulk_cid=_text(content, "bulk_cid"),
            )
        except (ValueError, TypeError):
            return cls(args=text, result_encryption=encryption)

    def encode(self) -> str:
        """Return the JSON text for a request order, without absent parameters."""
        content: dict[str, Any] = {
            "iexec_args": self.args,
            "iexec_input_files": list(self.input_files),
            "iexec_secrets": dict(self.secrets),
            "iexec_result_encryption": self.result_encryption,
            "iexec_result_storage_provider": self.result_storage_provider,
            "iexec_result_storage_proxy": self.result_storage_proxy,
            "bulk_cid": self.bulk_cid,
        }
        return json.dumps({key: value for key, value in content.items() if value}, separators=(",", ":"))


def _text(content: dict[str, Any], key: str) -> str:
    value = content.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise TypeError(key)
    return value


def _texts(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise TypeError("iexec_input_files")
    return tuple(value)


def _secrets(value: Any) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
        raise TypeError("iexec_secrets")
    return dict(value)


def _wants_encryption(value: Any) -> bool:
    """Return whether a value of any type may mean that the result is to be encrypted."""
    text = value.strip().lower() if isinstance(value, str) else value
    return bool(text) and text not in ("false", "no", "off", "0")


def _flag(value: Any) -> bool:
    if value is None:
        return False
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    if not isinstance(value, bool):
        raise TypeError("iexec_result_encryption")
    return value
