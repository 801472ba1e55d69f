"""The journal in memory keeps the contract of journals."""

import pytest
from workerpool_transactions.adapters.memory_journal import MemoryJournal
from workerpool_transactions.ports import Journal

from libs.transactions.tests.contract.journal_contract import JournalContract, Reopen


class TestMemoryJournal(JournalContract):
    @pytest.fixture
    async def reopen(self) -> Reopen:
        journal = MemoryJournal()

        async def reopened() -> Journal:
            return journal

        return reopened
