"""Counting and hashing the bytes of an upload."""

import hashlib

import pytest
from workerpool_result_proxy.domain.checksum import ChecksumVerifier
from workerpool_result_proxy.errors import ChecksumMismatch, SizeMismatch

CONTENT = b"an archive"


def verifier(size: int = len(CONTENT), content: bytes = CONTENT) -> ChecksumVerifier:
    return ChecksumVerifier(size=size, sha256=hashlib.sha256(content).digest())


def add(check: ChecksumVerifier, chunk: bytes) -> None:
    check.count(chunk)
    check.hash(chunk)


def test_the_declared_bytes_pass() -> None:
    check = verifier()
    add(check, CONTENT[:3])
    add(check, CONTENT[3:])
    check.finish()


def test_the_first_byte_beyond_the_declared_size_is_refused_at_once() -> None:
    check = verifier()
    add(check, CONTENT)
    with pytest.raises(SizeMismatch):
        check.count(b"x")


def test_a_missing_byte_is_refused() -> None:
    check = verifier(size=len(CONTENT) + 1)
    add(check, CONTENT)
    with pytest.raises(SizeMismatch):
        check.finish()


def test_other_bytes_are_refused() -> None:
    check = verifier()
    add(check, CONTENT[::-1])
    with pytest.raises(ChecksumMismatch):
        check.finish()
