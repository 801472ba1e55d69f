"""Names, signatures and values of secrets."""

import pytest
from workerpool_poco.protocol.encoding.keccak import keccak
from workerpool_poco.protocol.ids import ZERO_ADDRESS
from workerpool_sms.domain.secrets import (
    MAX_VALUE_BYTES,
    SecretKind,
    SecretName,
    signed_hash,
    signer_of,
    stored_value,
)
from workerpool_sms.errors import InvalidSecretName, SecretEmpty, SecretTooLarge

from services.sms.tests.doubles.chain import REQUESTER

ADDRESS = "0x" + "Ab" * 20
DOMAIN = keccak(b"IEXEC_SMS_DOMAIN")


def test_the_domain_is_that_of_the_protocol() -> None:
    assert DOMAIN.hex().startswith("0a26923d")


@pytest.mark.parametrize("kind", SecretKind)
def test_owners_are_lower_case(kind: SecretKind) -> None:
    key = {SecretKind.WEB3: "", SecretKind.APP_DEVELOPER: "1"}.get(kind, "a-name_1")
    assert SecretName.parse(kind, ADDRESS, key).address == ADDRESS.lower()


@pytest.mark.parametrize(
    ("kind", "address", "key"),
    [
        (SecretKind.WEB3, "0x12", ""),
        (SecretKind.WEB3, "", ""),
        (SecretKind.WEB3, ADDRESS + "\n", ""),
        (SecretKind.WEB3, ADDRESS, "1"),
        (SecretKind.APP_DEVELOPER, ADDRESS, "2"),
        (SecretKind.APP_DEVELOPER, ADDRESS, ""),
        (SecretKind.WEB2, ADDRESS, ""),
        (SecretKind.REQUESTER, ADDRESS, ""),
        (SecretKind.REQUESTER, ADDRESS, "a" * 65),
        (SecretKind.REQUESTER, ADDRESS, "white space"),
        (SecretKind.REQUESTER, ADDRESS, "né"),
        (SecretKind.REQUESTER, ADDRESS, "a\n"),
    ],
)
def test_a_name_that_cannot_be_is_refused(kind: SecretKind, address: str, key: str) -> None:
    with pytest.raises(InvalidSecretName, match=r"; \w+"):
        SecretName.parse(kind, address, key)


def test_a_key_may_have_64_characters() -> None:
    assert SecretName.parse(SecretKind.REQUESTER, ADDRESS, "k" * 64).key == "k" * 64


def test_a_dataset_key_is_signed_without_a_name() -> None:
    name = SecretName.parse(SecretKind.WEB3, ADDRESS)
    assert signed_hash(name, "v") == keccak(DOMAIN + bytes.fromhex("ab" * 20) + keccak(b"v"))


@pytest.mark.parametrize(
    ("kind", "key"), [(SecretKind.WEB2, "n"), (SecretKind.REQUESTER, "n"), (SecretKind.APP_DEVELOPER, "1")]
)
def test_the_other_kinds_are_signed_with_their_name(kind: SecretKind, key: str) -> None:
    name = SecretName.parse(kind, ADDRESS, key)
    address = bytes.fromhex("ab" * 20)
    assert signed_hash(name, "é") == keccak(DOMAIN + address + keccak(key.encode()) + keccak("é".encode()))


def test_the_signer_is_recovered_and_rubbish_is_signed_by_no_wallet() -> None:
    message = bytes([9] * 32)
    assert signer_of(message, REQUESTER.sign_message_hash(message)) == REQUESTER.address
    for signature in (b"", b"\0" * 65, b"\1" * 64, b"x"):
        assert signer_of(message, signature) not in (REQUESTER.address, ZERO_ADDRESS)


def test_a_value_is_trimmed_and_its_size_counts_as_it_is_sent() -> None:
    assert stored_value(" a b\n") == "a b"
    assert stored_value("x" * MAX_VALUE_BYTES) == "x" * MAX_VALUE_BYTES
    for value in ("x" * 4097, "é" * 2049, " " * 4097):
        with pytest.raises(SecretTooLarge, match="4096 bytes"):
            stored_value(value)
    for value in ("", " \n\t"):
        with pytest.raises(SecretEmpty):
            stored_value(value)


def test_only_web2_is_replaceable() -> None:
    names = [SecretName(kind, ADDRESS, "1") for kind in SecretKind]
    assert [name.kind for name in names if name.is_replaceable] == [SecretKind.WEB2]
