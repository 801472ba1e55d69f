"""The `.env` of a pool: complete, read back as it was written, and kept where an operator changed it."""

from pathlib import Path

from poolctl.adapters.pool_folder import read_env
from poolctl.domain.setup.env_text import PoolFacts, conflicts, merged, missing, names_set, variables
from poolctl.domain.setup.plan import PASSWORDS

FACTS = PoolFacts(
    chain_id=134,
    node_url="https://bellecour.iex.ec",
    hub="0x" + "AB" * 20,
    free_gas=True,
    block_time_s=5.0,
    head=1_234,
    pool="0x" + "cd" * 20,
    description="Zoë's pool #1 for $5",
    price=10**9,
    host="pool.example",
    market_url="https://market.example",
)
WANTED = variables(FACTS)
SEED_001 = (
    "PROD_WALLET_PASSWORD",
    "PROD_CORE_HOST",
    "PROD_CHAIN_ADAPTER_HOST",
    "PROD_GRAFANA_HOST",
    "WORKER_AVAILABLE_CPU",
    "PROD_POOL_ADDRESS",
    "WORKERPOOL_PRICE",
    "ORDER_PUBLISHER_REQUESTER_RESTRICT",
    "GRAFANA_HOME_NAME",
)


def test_every_variable_of_the_deployment_seed_has_its_place() -> None:
    for name in SEED_001:
        assert name in WANTED or f"{name}_FILE" in WANTED


def test_the_other_passwords_of_the_deployment_seed_are_files_that_compose_mounts() -> None:
    for name in ("core-wallet", "chain-adapter", "mongo", "grafana-admin", "core-operator"):
        assert f"{name}-password" in PASSWORDS


def test_a_new_file_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(merged("", WANTED))
    assert read_env(tmp_path / ".env") == {name: value for name, value in WANTED.items() if value}


def test_every_variable_is_in_a_section() -> None:
    assert names_set(merged("", WANTED)) == set(WANTED)


def test_what_an_operator_wrote_is_kept(tmp_path: Path) -> None:
    text = (
        "# mine\nWORKERPOOL_PRICE=5\nexport PROD_CORE_HOST=other.example\nMY_OWN=1\nWORKER_AVAILABLE_CPU=\n"
    )
    (tmp_path / ".env").write_text(text)
    added = missing(read_env(tmp_path / ".env"), names_set(text), WANTED)
    assert not {"WORKERPOOL_PRICE", "PROD_CORE_HOST", "WORKER_AVAILABLE_CPU"} & added.keys()
    whole = merged(text, added)
    assert whole.startswith(text)
    (tmp_path / ".env").write_text(whole)
    present = read_env(tmp_path / ".env")
    assert present["WORKERPOOL_PRICE"] == "5"
    assert missing(present, names_set(whole), WANTED) == {}


def test_a_password_in_env_itself_replaces_its_file() -> None:
    present = {"IEXEC_CORE_OPERATOR_PASSWORD": "a value of the operator"}
    assert "IEXEC_CORE_OPERATOR_PASSWORD_FILE" not in missing(present, frozenset(present), WANTED)


def test_another_pool_or_chain_is_a_conflict_in_any_letter_case() -> None:
    assert (
        conflicts({"PROD_POOL_ADDRESS": FACTS.pool.upper().replace("X", "x"), "CHAIN_ID": "134"}, WANTED)
        == []
    )
    assert conflicts({"PROD_POOL_ADDRESS": "0x" + "ee" * 20, "CHAIN_ID": "1"}, WANTED) == [
        "CHAIN_ID",
        "PROD_POOL_ADDRESS",
    ]
