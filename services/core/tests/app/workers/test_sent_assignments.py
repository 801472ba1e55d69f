"""Notices of sent assignments: many become one event."""

import asyncio

from patience import PATIENCE_S
from workerpool_core.app.workers.sent_assignments import SentAssignments
from workerpool_core.domain.events import AssignmentsSent
from workerpool_poco.protocol.ids import TaskId


async def test_notices_of_a_moment_become_one_event() -> None:
    submitted: asyncio.Queue[AssignmentsSent] = asyncio.Queue()
    notices = SentAssignments(submitted.put_nowait)
    notices.sent("0xA", TaskId("0x1"))
    notices.sent("0xB", TaskId("0x2"))
    async with asyncio.timeout(PATIENCE_S):
        event = await submitted.get()
    assert event == AssignmentsSent((("0xA", TaskId("0x1")), ("0xB", TaskId("0x2"))))
    notices.sent("0xA", TaskId("0x3"))
    async with asyncio.timeout(PATIENCE_S):
        assert (await submitted.get()).pairs == (("0xA", TaskId("0x3")),)
