"""What is said to the scheduler: always something that its contract allows, whatever apps, nodes and proxies say."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from workerpool_kit.grpc.validation import validate
from workerpool_poco.protocol.ids import TaskId
from workerpool_poco.protocol.statuses import ReplicateStatus
from workerpool_worker.adapters.core.messages import update_message
from workerpool_worker.domain.updates import Details, Update

TASK_ID = TaskId("0x" + "01" * 32)
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=200)
"""Lone surrogates too: names of files and JSON may hold them, protobuf cannot."""


@example("\ud800", "\udcff", "\udfff", "\ud8ff")
@given(ANY_TEXT, ANY_TEXT, ANY_TEXT, ANY_TEXT)
def test_no_text_can_end_the_stream(stdout, stderr, message, link):
    """An update that the scheduler refuses to read would be the first to be sent again, for ever."""
    details = Details(stdout=stdout, stderr=stderr, error_message=message, result_link=link)
    update = update_message(Update(7, TASK_ID, ReplicateStatus.COMPUTED, details))
    update.SerializeToString()
    validate(update)


@pytest.mark.parametrize("text", ["plain", "ünïcödé \U0001f600", ""])
def test_text_that_is_text_arrives_as_it_is(text):
    details = Details(stdout=text, error_message=text, result_link=text)
    said = update_message(Update(7, TASK_ID, ReplicateStatus.COMPUTED, details)).details
    assert (said.stdout, said.error_message, said.result_link) == (text, text, text)
