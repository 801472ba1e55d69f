"""Counting and hashing the bytes of an upload."""

import hashlib

import pytest
from workerpool_result_proxy.domain.checksum import ChecksumVerifier
from workerpool_result_proxy.errors import ChecksumMismatch, SizeMismatch

CONTENT = b"an archive"


def verifier(size: int = len(CONTENT), content: bytes = CONTENT) -> ChecksumVerifier:
    return ChecksumVerifier(size=size, sha256=hashlib.sha256(content).digest())


def test_the_declared_bytes_pass() -> None:
    check = verifier()
    check.add(CONTENT[:3])
    check.add(CONTENT[3:])
    check.finish()


def test_the_first_byte_beyond_the_declared_size_is_refused_at_once() -> None:
    check = verifier()
    check.add(CONTENT)
    with pytest.raises(SizeMismatch):
        check.add(b"x")


def test_a_missing_byte_is_refused() -> None:
    check = verifier(size=len(CONTENT) + 1)
    check.add(CONTENT)
    with pytest.raises(SizeMismatch):
        check.finish()


def test_other_bytes_are_refused() -> None:
    check = verifier()
    check.add(CONTENT[::-1])
    with pytest.raises(ChecksumMismatch):
        check.finish()
