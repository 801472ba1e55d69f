"""The settings, as the documented variables give them, and the limits they lead to."""

import tempfile
from pathlib import Path

import pytest
from workerpool_kit.settings.environment import SettingsError, load
from workerpool_poco.protocol.result_archive.rules import DEFAULT_RULES
from workerpool_result_proxy.composition import upload_limits
from workerpool_result_proxy.settings import ResultProxySettings

REQUIRED = {
    "IEXEC_CHAIN_ID": "134",
    "IEXEC_BLOCKCHAIN_NODE_ADDRESS": "http://localhost:8545",
    "IEXEC_HUB_ADDRESS": "0x" + "11" * 20,
}


def test_only_the_chain_must_be_named() -> None:
    settings = load(ResultProxySettings, REQUIRED)
    assert (settings.http_port, settings.mongo_port, settings.max_size) == (13200, 13202, 1 << 30)
    assert settings.pool_address is None
    with pytest.raises(SettingsError) as refused:
        load(ResultProxySettings, {})
    assert [each.partition(":")[0] for each in refused.value.problems] == sorted(REQUIRED)


@pytest.mark.parametrize(
    ("block_time", "wait_s", "poll_s"), [("PT0.2S", 2.0, 0.1), ("PT1S", 2.0, 0.25), ("PT5S", 10.0, 0.5)]
)
def test_a_reveal_is_waited_for_during_two_blocks(block_time: str, wait_s: float, poll_s: float) -> None:
    limits = upload_limits(load(ResultProxySettings, {**REQUIRED, "IEXEC_BLOCK_TIME": block_time}))
    assert (limits.reveal_wait_s, limits.reveal_poll_s) == (wait_s, poll_s)


def test_the_limits_are_those_of_the_settings() -> None:
    settings = load(
        ResultProxySettings,
        {
            **REQUIRED,
            "IEXEC_RESULT_PROXY_MAX_SIZE": "5",
            "IEXEC_RESULT_PROXY_MAX_UPLOADS": "3",
            "IEXEC_RESULT_PROXY_UPLOAD_WAIT": "PT4S",
            "IEXEC_RESULT_PROXY_UPLOAD_IDLE_TIMEOUT": "PT6S",
        },
    )
    limits = upload_limits(settings)
    assert (limits.max_size, limits.slots, limits.slot_wait_s, limits.stream.idle_s) == (5, 3, 4.0, 6.0)


@pytest.mark.parametrize(
    ("variable", "successor"),
    [
        ("IEXEC_IS_SIDECHAIN", "chain adapter"),
        ("IEXEC_PUBLIC_CHAIN_ADDRESS", "IEXEC_BLOCKCHAIN_NODE_ADDRESS"),
        ("IEXEC_PRIVATE_CHAIN_ADDRESS", "IEXEC_BLOCKCHAIN_NODE_ADDRESS"),
    ],
)
def test_a_documented_variable_without_effect_is_accepted_and_has_a_successor(
    variable: str, successor: str
) -> None:
    load(ResultProxySettings, {**REQUIRED, variable: "x"})
    assert successor in ResultProxySettings.ignored_variables[variable]


def test_archives_are_checked_in_the_systems_folder_for_temporary_files_unless_another_is_set() -> None:
    unset = load(ResultProxySettings, REQUIRED)
    assert unset.upload_folder == Path(tempfile.gettempdir(), "workerpool-result-proxy")
    moved = load(ResultProxySettings, {**REQUIRED, "IEXEC_RESULT_PROXY_TEMP_DIR": "/srv/archives"})
    assert moved.upload_folder == Path("/srv/archives")


@pytest.mark.parametrize(
    ("url", "audience"),
    [
        (None, "http://localhost:13200"),
        ("http://127.0.0.1:13200", "http://localhost:13200"),
        ("HTTPS://Result.Example:443/", "https://result.example"),
        ("https://pool.example/results", "https://pool.example/results"),
    ],
)
def test_the_audience_is_the_public_url(url: str | None, audience: str) -> None:
    named = {} if url is None else {"IEXEC_RESULT_PROXY_PUBLIC_URL": url}
    assert load(ResultProxySettings, REQUIRED | named).audience == audience


@pytest.mark.parametrize(
    "url", ["result.example", "https://user:secret@result.example", "https://x.example/?a=b"]
)
def test_a_public_url_that_no_worker_would_sign_for_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="IEXEC_RESULT_PROXY_PUBLIC_URL"):
        load(ResultProxySettings, REQUIRED | {"IEXEC_RESULT_PROXY_PUBLIC_URL": url})


def test_the_rules_are_the_documented_defaults_unless_set() -> None:
    assert load(ResultProxySettings, REQUIRED).archive_rules == DEFAULT_RULES
    few = {"IEXEC_RESULT_PROXY_MAX_ENTRIES": "7", "IEXEC_RESULT_PROXY_MAX_DEPTH": "3"}
    rules = load(ResultProxySettings, REQUIRED | few).archive_rules
    assert (rules.max_entries, rules.max_depth) == (7, 3)


@pytest.mark.parametrize(
    ("given", "api"),
    [
        ({}, None),
        ({"IEXEC_IPFS_URL": "http://ipfs:5001"}, "http://ipfs:5001"),
        ({"IEXEC_IPFS_HOST": "ipfs"}, "http://ipfs:5001"),
        ({"IEXEC_IPFS_HOST": "::1", "IEXEC_IPFS_PORT": "5002"}, "http://[::1]:5002"),
        ({"IEXEC_IPFS_PORT": "5002"}, None),
        ({"IEXEC_IPFS_URL": "http://new:1", "IEXEC_IPFS_HOST": "old"}, "http://new:1"),
    ],
)
def test_the_ipfs_node_has_a_url_or_the_older_host_and_port(given: dict[str, str], api: str | None) -> None:
    assert load(ResultProxySettings, {**REQUIRED, **given}).ipfs_api == api


@pytest.mark.parametrize("url", ["ftp://ipfs", "no url"])
def test_a_bad_url_of_the_ipfs_node_is_named(url: str) -> None:
    """Scenario 35: a bad URL of the IPFS node."""
    with pytest.raises(SettingsError, match="IEXEC_IPFS_URL"):
        load(ResultProxySettings, {**REQUIRED, "IEXEC_IPFS_URL": url})


def test_results_stay_unless_a_retention_is_set() -> None:
    assert load(ResultProxySettings, REQUIRED).retention is None
    settings = load(ResultProxySettings, {**REQUIRED, "IEXEC_RESULT_PROXY_RETENTION": "P90D"})
    assert settings.retention == 90 * 86_400
