"""A nonce is accepted for its subject, by a server with its secret, until it expires."""

import pytest
from workerpool_kit.access.nonces import NonceRefused, check_nonce, make_nonce

SECRETS, SUBJECT = [b"new" * 11, b"old" * 11], b"s" * 52
NONCE = make_nonce(SECRETS[1], SUBJECT, expires_at=160)


def test_a_nonce_has_32_bytes_and_is_valid_until_it_expires() -> None:
    assert len(NONCE) == 32
    check_nonce(SECRETS, NONCE, SUBJECT, now=159.9)
    with pytest.raises(NonceRefused, match="has expired"):
        check_nonce(SECRETS, NONCE, SUBJECT, now=160)


@pytest.mark.parametrize(
    ("secrets", "nonce", "subject"),
    [
        ([b"x" * 32], NONCE, SUBJECT),
        (SECRETS, NONCE, b"t" * 52),
        (SECRETS, bytes(32), SUBJECT),
        (SECRETS, (999).to_bytes(8, "big") + NONCE[8:], SUBJECT),
        (SECRETS, NONCE[:-1], SUBJECT),
    ],
    ids=["other server", "other subject", "zeros", "longer life", "short"],
)
def test_any_other_nonce_is_refused(secrets: list[bytes], nonce: bytes, subject: bytes) -> None:
    with pytest.raises(NonceRefused, match="made elsewhere"):
        check_nonce(secrets, nonce, subject, now=1)
