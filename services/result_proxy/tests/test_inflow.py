"""Counting and hashing what comes in."""

import hashlib

import pytest
from workerpool_result_proxy.domain.inflow import Inflow
from workerpool_result_proxy.errors import ChecksumMismatch, SizeMismatch

CONTENT = b"an archive"


def inflow(size: int = len(CONTENT), content: bytes = CONTENT) -> Inflow:
    return Inflow(size=size, sha256=hashlib.sha256(content).digest())


def test_what_was_declared_passes():
    check = inflow()
    check.add(CONTENT[:3])
    check.add(CONTENT[3:])
    check.finish()
    assert check.received == len(CONTENT)


def test_the_first_byte_too_many_is_refused_at_once():
    check = inflow()
    check.add(CONTENT)
    with pytest.raises(SizeMismatch):
        check.add(b"x")


def test_a_missing_byte_is_refused():
    check = inflow(size=len(CONTENT) + 1)
    check.add(CONTENT)
    with pytest.raises(SizeMismatch):
        check.finish()


def test_other_bytes_are_refused():
    check = inflow()
    check.add(CONTENT[::-1])
    with pytest.raises(ChecksumMismatch):
        check.finish()
