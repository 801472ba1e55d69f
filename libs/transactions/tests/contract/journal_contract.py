"""What every journal must do. Subclass `JournalContract` and provide the fixture `reopen`."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from workerpool_poco.protocol.ids import Hex
from workerpool_transactions.domain.entry import Call, Entry, EntryState, Offer, Receipt, Version
from workerpool_transactions.ports import Journal, NonceTaken

Reopen = Callable[[], Awaitable[Journal]]
HUB = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
NOW = 1_700_000_000.25
SPENT_BEFORE = 2**64 + 1
"""Amounts and calldata of a chain do not fit into the integers of databases."""


def version(nonce: int, number: int = 0, *, is_empty: bool = False) -> Version:
    """Return a version whose hash tells its nonce and number."""
    offer = Offer(SPENT_BEFORE + number, number) if number % 2 else Offer(SPENT_BEFORE + number)
    return Version(
        f"0x{nonce:032x}{number:032x}", b"\x02\x00\xff" + bytes([nonce % 256, number]), offer, is_empty
    )


def entry(nonce: int, *labels: str, versions: int = 1) -> Entry:
    """Return a new entry."""
    call = Call(HUB, b"\x00\x01\xff", 123_456, labels or (f"work {nonce}",), value=2**70)
    return Entry(nonce, call, tuple(version(nonce, n) for n in range(versions)), NOW, updated_at=NOW)


def receipt(of: Entry, *, succeeded: bool = True) -> Receipt:
    """Return a receipt of the entry's latest version."""
    return Receipt(of.latest.hash, succeeded, 2**40, 21_000, Hex("0x" + "ab" * 32))


def mined(of: Entry, at: float = NOW) -> Entry:
    """Return the entry as a mined one."""
    return of.ended(EntryState.MINED, at, receipt(of))


class JournalContract:
    """The contract. `reopen()` returns a journal on the same storage, as a new process would open it."""

    @pytest.fixture
    async def reopen(self) -> Reopen:
        """Return a function that opens the journal, empty at first."""
        raise NotImplementedError

    async def test_an_empty_journal(self, reopen: Reopen) -> None:
        journal = await reopen()
        assert await journal.live() == []
        assert await journal.ended(0, None) == []
        assert await journal.last_mined(0.0) == []
        assert await journal.labelled("work 0") == []
        assert await journal.highest_nonce() is None

    async def test_added_entries_survive_the_process_in_every_field(self, reopen: Reopen) -> None:
        entries = [entry(0, "a", "b", versions=3), entry(1)]
        await (await reopen()).add(entries)
        assert await (await reopen()).live() == entries

    async def test_an_empty_version_and_a_filler_stay_what_they_are(self, reopen: Reopen) -> None:
        filler = replace(
            entry(0), call=Call(HUB, b"", 21_000), versions=(version(0), version(0, 1, is_empty=True))
        )
        await (await reopen()).add([filler])
        [found] = await (await reopen()).live()
        assert found == filler
        assert found.is_filler
        assert [each.is_empty for each in found.versions] == [False, True]

    @pytest.mark.parametrize("state", list(EntryState))
    async def test_a_saved_form_survives_the_process(self, reopen: Reopen, state: EntryState) -> None:
        first = entry(7)
        journal = await reopen()
        await journal.add([first])
        saved = replace(first.replaced_by(version(7, 1), NOW + 1), state=state)
        if state in (EntryState.MINED, EntryState.REVERTED):
            saved = replace(saved, receipt=receipt(saved, succeeded=state is EntryState.MINED))
        await journal.save([saved])
        again = await reopen()
        found = await again.live() if saved.is_live else await again.ended(0, None)
        assert found == [saved]

    async def test_adding_the_same_entries_again_is_harmless(self, reopen: Reopen) -> None:
        entries = [entry(0), entry(1)]
        journal = await reopen()
        await journal.add(entries)
        await journal.add(entries)
        assert await journal.live() == entries

    async def test_an_interrupted_add_can_be_repeated_after_a_part_of_it_ended(self, reopen: Reopen) -> None:
        entries = [entry(0), entry(1)]
        journal = await reopen()
        await journal.add(entries[:1])
        await journal.save([mined(entries[0])])
        await journal.add(entries)
        assert await journal.live() == entries[1:]
        assert await journal.ended(0, None) == [mined(entries[0])]

    async def test_another_entry_with_a_held_nonce_is_refused_and_none_is_added(self, reopen: Reopen) -> None:
        journal = await reopen()
        await journal.add([entry(5)])
        other = replace(entry(5), versions=(version(5, 9),))
        with pytest.raises(NonceTaken):
            await journal.add([entry(4), other, entry(6)])
        assert await (await reopen()).live() == [entry(5)]

    async def test_a_held_nonce_is_refused_after_its_entry_ended(self, reopen: Reopen) -> None:
        journal = await reopen()
        await journal.add([entry(5)])
        await journal.save([mined(entry(5))])
        with pytest.raises(NonceTaken):
            await journal.add([replace(entry(5), versions=(version(5, 9),))])

    async def test_live_and_ended_entries_come_by_nonce(self, reopen: Reopen) -> None:
        journal = await reopen()
        await journal.add([entry(n) for n in (300, 2, 10, 1, 70_000)])
        await journal.save([mined(entry(n)) for n in (10, 300, 2)])
        assert [each.nonce for each in await journal.live()] == [1, 70_000]
        assert [each.nonce for each in await journal.ended(0, None)] == [2, 10, 300]

    async def test_ended_entries_of_a_range_of_nonces(self, reopen: Reopen) -> None:
        journal = await reopen()
        await journal.add([entry(n) for n in range(6)])
        await journal.save([mined(entry(n)) for n in range(5)])
        assert [each.nonce for each in await journal.ended(1, 3)] == [1, 2]
        assert [each.nonce for each in await journal.ended(3, None)] == [3, 4]
        assert await journal.ended(3, 3) == []

    async def test_an_entry_that_lives_again_has_not_ended(self, reopen: Reopen) -> None:
        journal = await reopen()
        await journal.add([entry(0)])
        await journal.save([mined(entry(0))])
        await journal.save([mined(entry(0)).live_again(NOW + 2)])
        again = await reopen()
        assert await again.live() == [mined(entry(0)).live_again(NOW + 2)]
        assert await again.ended(0, None) == []
        assert await again.last_mined(0.0) == []

    async def test_the_entries_mined_last(self, reopen: Reopen) -> None:
        journal = await reopen()
        await journal.add([entry(n) for n in range(5)])
        reverted = entry(3).ended(EntryState.REVERTED, NOW + 30, receipt(entry(3), succeeded=False))
        await journal.save(
            [mined(entry(0), NOW), mined(entry(1), NOW + 10), mined(entry(2), NOW + 20), reverted]
        )
        assert [each.nonce for each in await journal.last_mined(NOW + 10)] == [1, 2]
        assert [each.nonce for each in await journal.last_mined(NOW + 99)] == [2], "always the newest"

    async def test_entries_by_label(self, reopen: Reopen) -> None:
        journal = await reopen()
        await journal.add([entry(0, "a", "b"), entry(1, "b"), entry(2, "ab")])
        await journal.save([mined(entry(0, "a", "b"))])
        assert [each.nonce for each in await journal.labelled("b")] == [0, 1]
        assert [each.nonce for each in await journal.labelled("a")] == [0]
        assert await journal.labelled("c") == []

    async def test_labels_that_a_saved_form_dropped_find_nothing(self, reopen: Reopen) -> None:
        journal = await reopen()
        await journal.add([entry(0, "a")])
        await journal.save([entry(0, "a").ended(EntryState.DISPLACED, NOW).handed_back(NOW)])
        assert await journal.labelled("a") == []

    async def test_the_highest_nonce_counts_ended_entries(self, reopen: Reopen) -> None:
        journal = await reopen()
        await journal.add([entry(3), entry(11)])
        await journal.save([mined(entry(11))])
        assert await journal.highest_nonce() == 11

    async def test_a_thousand_entries_in_one_write(self, reopen: Reopen) -> None:
        journal = await reopen()
        await journal.add([entry(n) for n in range(1000)])
        await journal.save([mined(entry(n)) for n in range(1000)])
        assert len(await (await reopen()).ended(0, None)) == 1000
