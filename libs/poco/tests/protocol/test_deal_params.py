import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from workerpool_poco.protocol.deal_params import DealParams


def test_s50_all_known_keys() -> None:
    text = json.dumps(
        {
            "iexec_args": "--size 3",
            "iexec_input_files": ["https://example.org/a", "https://example.org/b"],
            "iexec_secrets": {"1": "my-key"},
            "iexec_result_encryption": True,
            "iexec_result_storage_provider": "ipfs",
            "iexec_result_storage_proxy": "https://proxy.example.org",
            "bulk_cid": "Qm",
        }
    )
    params = DealParams.parse(text)
    assert params.args == "--size 3"
    assert params.input_files == ("https://example.org/a", "https://example.org/b")
    assert params.secrets == {"1": "my-key"}
    assert params.result_encryption
    assert params.result_storage_provider == "ipfs"
    assert DealParams.parse(params.encode()) == params


@pytest.mark.parametrize(
    "text",
    [
        "",
        "plain command line",
        "5",
        "[]",
        "{",
        '{"unknown": 1}',
        '{"iexec_args": "x", "iexec_developer_logger": true}',
        '{"iexec_args": 5}',
        '{"iexec_input_files": "https://example.org"}',
        '{"iexec_secrets": ["a"]}',
        '{"iexec_result_encryption": []}',
        '{"iexec_result_encryption": "no"}',
        '{"iexec_result_encryption": false, "unknown": 1}',
    ],
)
def test_s50_anything_else_is_the_command_line(text: str) -> None:
    assert DealParams.parse(text) == DealParams(args=text)


@pytest.mark.parametrize(
    "text",
    [
        '{"iexec_result_encryption": 1}',
        '{"iexec_result_encryption": "yes"}',
        '{"iexec_result_encryption": "True "}',
        '{"iexec_result_encryption": {"on": true}}',
        '{"iexec_result_encryption": true, "unknown": 1}',
        '{"iexec_result_encryption": true, "iexec_args": 5}',
    ],
)
def test_encryption_standard_in_odd_words_is_still_encryption(text: str) -> None:
    assert DealParams.parse(text) == DealParams(args=text, result_encryption=True)


def test_null_means_absent() -> None:
    text = '{"iexec_args": null, "iexec_input_files": null, "iexec_secrets": null}'
    assert DealParams.parse(text) == DealParams()


@given(st.text())
def test_parsing_never_fails(text: str) -> None:
    DealParams.parse(text)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner)))
def test_parsing_never_fails_on_json(value: object) -> None:
    DealParams.parse(json.dumps({"iexec_args": value}))
    DealParams.parse(json.dumps({"iexec_input_files": value}))
