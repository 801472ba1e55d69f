"""A secret is found in each spelling and in each place, and a text without it is clean."""

import base64
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from workerpool_poco.chain.wallet import Wallet

from canaries.planted import Canaries, basic_header, keystore_secrets
from canaries.processes import process_texts

SECRET = 'correct "horse" & battery/staple'
CANARIES = Canaries({"a password": SECRET})


@pytest.mark.parametrize(
    "spell",
    [
        str,
        str.upper,
        repr,
        lambda secret: secret.replace('"', '\\"'),
        lambda secret: quote(secret, safe=""),
        lambda secret: secret.encode().hex(),
        lambda secret: base64.b64encode(secret.encode()).decode(),
        lambda secret: basic_header("admin", secret),
        lambda secret: basic_header("someone", secret),
        lambda secret: basic_header("an operator", secret),
        lambda secret: base64.b64encode(f"u:{secret}, then more".encode()).decode(),
    ],
)
def test_each_spelling_is_found(spell: Callable[[str], str]) -> None:
    (sentence, *_) = CANARIES.found_in("the log", f"… {spell(SECRET)} …")
    assert sentence.startswith("the log shows a password as ")


@pytest.mark.parametrize("text", ["", "correct horse battery staple", basic_header("admin", "another one")])
def test_other_texts_are_clean(text: str) -> None:
    assert CANARIES.found_in("the log", text) == []


def test_a_secret_that_occurs_by_chance_is_refused() -> None:
    with pytest.raises(AssertionError, match="too short"):
        Canaries({"a password": "12345"})


def test_the_content_of_a_wallet_file_is_a_secret(tmp_path: Path) -> None:
    path = tmp_path / "wallet.json"
    Wallet.create().write_keystore(path, SECRET, light=True)
    canaries = Canaries(keystore_secrets("the wallet", path, SECRET))
    assert len(canaries.found_in_file(path)) >= 2


@pytest.fixture
def parent(request: pytest.FixtureRequest) -> Iterator[subprocess.Popen[str]]:
    """Run a process with a child that has the secret in its command line and its environment."""
    child = f"import sys; print('ready', flush=True); sys.stdin.read() # {SECRET}"
    script = (
        "import subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1]],"
        " env={'PASSWORD': sys.argv[2]})"
    )
    running = subprocess.Popen(
        [sys.executable, "-c", script, child, SECRET],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert running.stdout is not None
    assert running.stdout.readline() == "ready\n"
    yield running
    running.communicate()


def test_command_lines_and_the_environment_of_children_are_read(parent: subprocess.Popen[str]) -> None:
    found = [
        sentence
        for place, text in process_texts(parent.pid).items()
        for sentence in CANARIES.found_in(place, text)
    ]
    assert any(f"the command line of {parent.pid}" in sentence for sentence in found)
    assert any(sentence.startswith("the command line") and "a child" in sentence for sentence in found)
    assert any(sentence.startswith("the environment") for sentence in found)


def test_an_ended_process_has_no_readable_memory() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert not any(process_texts(ended.pid).values())
