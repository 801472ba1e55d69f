"""Deal params of every sort."""

from __future__ import annotations

from collections.abc import Callable

from workerpool_poco.protocol.deal_params import DealParams

from hostile.catalogue.entry import Entry, Ground, Outcome, ends, error_result, succeeds, to_file

_INVALID = "DEAL_PARAMS_INVALID"
_DEEP = 12_000
"""Bytes of a deep or long text: a match stores the params, which costs gas."""


def _entry(
    name: str, params: Callable[[Ground], DealParams | str], right: Outcome, *, weight: float = 1.0
) -> Entry:
    """Return an entry whose app succeeds whatever its arguments are."""
    return Entry(
        name=name,
        script="echo ok > /iexec_out/r",
        computed=to_file(),
        params=params,
        right=right,
        weight=weight,
    )


def _raw(name: str, text: str, right: Outcome) -> Entry:
    return _entry(name, lambda _: text, right)


def _with(name: str, right: Outcome, *, weight: float = 1.0, **fields: object) -> Entry:
    return _entry(name, lambda _: DealParams(args=name, **fields), right, weight=weight)  # type: ignore[arg-type]


ENTRIES = (
    _with("encryption-standard", error_result(_INVALID), weight=3, result_encryption=True),
    Entry(
        name="encryption-standard-callback",
        callback=True,
        script="echo ok",
        computed='{"callback-data":"0x01"}',
        params=lambda _: DealParams(args="encryption-standard-callback", result_encryption=True),
        right=error_result(_INVALID),
    ),
    _with("deal-proxy-url", succeeds(), weight=3, result_storage_proxy="https://result.example"),
    _with("deal-proxy-url-port", succeeds(), result_storage_proxy="http://127.0.0.1:9"),
    _with("deal-proxy-url-odd", ends(_INVALID), result_storage_proxy="ftp://[::1:80/x y"),
    _with("deal-provider-dropbox", ends(_INVALID), result_storage_provider="dropbox"),
    _with("deal-provider-unknown", ends(_INVALID), result_storage_provider="floppy disk"),
    _with("deal-secrets", ends(_INVALID), secrets={"1": "name", "x": "y"}),
    _with("deal-bulk", ends(_INVALID, "DATASET_FILE_DOWNLOAD_FAILED"), bulk_cid="Qm" + "a" * 44),
    _raw("params-empty", "", succeeds()),
    _raw("params-not-json", '{"iexec_args": ', succeeds()),
    _raw("params-number", "7", ends(_INVALID)),
    _raw("params-list", '["iexec_args"]', ends(_INVALID)),
    _raw("params-wrong-types", '{"iexec_args":7,"iexec_input_files":{"a":1}}', ends(_INVALID)),
    _raw("params-unknown-key", '{"iexec_args":"a","iexec_developer_logger":true}', ends(_INVALID)),
    _raw("params-surrogate", '{"iexec_args":"\\ud800"}', ends(_INVALID, "APP_CANNOT_START")),
    _raw("params-nul", '{"iexec_args":"a\\u0000b"}', ends(_INVALID, "APP_CANNOT_START")),
    _raw("params-deep", "[" * _DEEP, ends(_INVALID)),
    _raw("params-deep-object", '{"a":' * (_DEEP // 5), ends(_INVALID)),
    _raw("params-long-argument", "a" * _DEEP, succeeds()),
    _raw("params-many-arguments", "a " * (_DEEP // 2), succeeds()),
    _raw("params-unbalanced", '{"iexec_args":"\\"open"}', succeeds()),
)
