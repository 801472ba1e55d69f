"""No secret passes the redaction, and ids and addresses do."""

import pytest
from poolctl.domain.redaction import HIDDEN, Redaction, names_secret, secrets_of

KEY = "4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318"


@pytest.mark.parametrize(
    "name",
    [
        "PROD_MONGO_PASSWORD",
        "IEXEC_CORE_OPERATOR_PASSWORD",
        "adminPassword",
        "JWTETHSECRET",
        "privateKey",
        "api_key",
        "Authorization",
        "worker_token",
        "DBPASS",
    ],
)
def test_names_of_secrets_are_known(name: str) -> None:
    assert names_secret(name)


@pytest.mark.parametrize(
    "name", ["PROD_CORE_HOST", "IEXEC_CORE_WALLET_PATH", "X_PASSWORD_FILE", "task_id", "tokens"]
)
def test_other_names_are_no_secrets(name: str) -> None:
    assert not names_secret(name)


def test_values_of_secret_names_are_hidden_at_any_depth() -> None:
    document = {"services": [{"PASSWORD": "abcdefgh", "port": 1}], "note": "ok", "X_PASSWORD": ""}
    assert Redaction().document(document) == {
        "services": [{"PASSWORD": HIDDEN, "port": 1}],
        "note": "ok",
        "X_PASSWORD": "",
    }


def test_a_known_secret_is_hidden_everywhere() -> None:
    redaction = Redaction(["hunter2-hunter2", "hunter2"])
    assert redaction.text("login hunter2-hunter2 failed, hunter2!") == f"login {HIDDEN} failed, {HIDDEN}!"
    assert redaction.document({"a": ["x hunter2 y"], "hunter2": 1}) == {"a": [f"x {HIDDEN} y"], HIDDEN: 1}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "mongodb://user:pass@mongo:27017/?replicaSet=rs0",
            f"mongodb://{HIDDEN}@mongo:27017/?replicaSet=rs0",
        ),
        ("https://node.example/v3/0123456789abcdef0123456789abcdef", f"https://node.example/{HIDDEN}"),
        ("Authorization: Basic dXNlcjpwYXNzd29yZA==", f"Authorization: Basic {HIDDEN}"),
        (f"key {KEY} used", f"key {HIDDEN} used"),
        ("-----BEGIN EC PRIVATE KEY-----\nabc\n-----END EC PRIVATE KEY-----", HIDDEN),
    ],
)
def test_what_looks_like_a_secret_is_hidden(text: str, shown: str) -> None:
    assert Redaction().text(text) == shown


def test_ids_addresses_and_plain_urls_stay() -> None:
    text = f"task 0x{KEY} of 0x{'ab' * 20} at http://core:13000/actuator/health"
    assert Redaction().text(text) == text


def test_the_secrets_of_settings_are_their_values_and_the_credentials_in_urls() -> None:
    found = secrets_of({"A_PASSWORD": "one-secret", "MONGO": "mongodb://u:two-secret@h/", "HOST": "three"})
    assert {"one-secret", "two-secret"} <= found
    assert "three" not in found
