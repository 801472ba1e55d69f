"""The pure decisions: stages and commands, command lines, environment, image names, host shares, pre-checks."""

import hashlib
import re
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st
from workerpool_poco.protocol.ids import ZERO_ADDRESS, TaskId
from workerpool_poco.protocol.model import Account, ChainTask
from workerpool_poco.protocol.statuses import (
    WORKER_REPLICATE_STATUSES,
    ChainTaskStatus,
    ReplicateStatus,
    ReplicateStatusCause,
)
from workerpool_worker.domain.assignment import Task
from workerpool_worker.domain.command_line import split
from workerpool_worker.domain.dataset_sources import dataset_urls, has_checksum
from workerpool_worker.domain.environment import app_environment
from workerpool_worker.domain.host import slot_count, slot_limits
from workerpool_worker.domain.images import (
    DOCKER_HUB,
    InvalidImageName,
    local_name,
    pull_limit_s,
    registry_of,
)
from workerpool_worker.domain.prechecks import contribution_obstacles, reveal_obstacle
from workerpool_worker.domain.record import Command, ReplicateRecord, Result, SentTransaction
from workerpool_worker.domain.stages import NEXT, STATUSES, WAITING, Action, Stage, after_command
from workerpool_worker.domain.unknown_task import statuses_for_unknown_task
from workerpool_worker.domain.updates import Details, Receipt, Update

WORKER = "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf"
TASK_ID = TaskId("0x" + "01" * 32)


def task(**fields):
    return Task(
        **{
            "task_id": TASK_ID,
            "deal_id": "0x" + "02" * 32,
            "task_index": 3,
            "app_uri": "app:1",
            "command_line": "",
            "max_execution_s": 300.0,
            "contribution_deadline": 1000.0,
            "final_deadline": 2000.0,
            "tag": "0x" + "00" * 32,
        }
        | fields
    )


class TestStages:
    def test_every_stage_waits_or_reports(self):
        assert set(Stage) == WAITING | set(STATUSES)

    def test_a_worker_only_reports_what_workers_may(self):
        reported = {
            status for entry in STATUSES.values() for status in (entry.started, entry.succeeded, entry.failed)
        }
        assert reported <= WORKER_REPLICATE_STATUSES

    def test_the_worker_drives_itself_to_the_contribution(self):
        path = [Stage.START]
        while path[-1] in NEXT:
            path.append(NEXT[path[-1]])
        assert path == [
            Stage.START, Stage.DOWNLOAD_APP, Stage.DOWNLOAD_DATA, Stage.COMPUTE, Stage.CONTRIBUTE, Stage.AWAIT_REVEAL,
        ]  # fmt: skip

    @pytest.mark.parametrize("stage", Stage)
    @pytest.mark.parametrize("action", Action)
    def test_a_command_twice_is_a_command_once(self, stage, action):
        once = after_command(stage, action)
        if once is not None:
            assert after_command(once, action) is None

    @pytest.mark.parametrize(
        ("stage", "action", "expected"),
        [
            (Stage.AWAIT_REVEAL, Action.REVEAL, Stage.REVEAL),
            (Stage.AWAIT_UPLOAD, Action.REVEAL, Stage.REVEAL),
            (Stage.UPLOAD, Action.CONTRIBUTE, Stage.CONTRIBUTE),
            (Stage.AWAIT_REVEAL, Action.CONTRIBUTE, Stage.CONTRIBUTE),
            (Stage.COMPUTE, Action.CONTRIBUTE, None),
            (Stage.AWAIT_UPLOAD, Action.UPLOAD, Stage.UPLOAD),
            (Stage.AWAIT_REVEAL, Action.UPLOAD, None),
            (Stage.AWAIT_END, Action.UPLOAD, Stage.UPLOAD),
            (Stage.FAILED, Action.REVEAL, Stage.REVEAL),
            (Stage.COMPUTE, Action.REVEAL, None),
            (Stage.COMPUTE, Action.COMPLETE, Stage.COMPLETE),
            (Stage.COMPUTE, Action.CONTINUE, None),
        ],
    )
    def test_commands_lead_where_the_protocol_says(self, stage, action, expected):
        assert after_command(stage, action) is expected


class TestUnknownTask:
    def test_nothing_held_is_what_complete_and_abort_want(self):
        complete = statuses_for_unknown_task(Command(1, TASK_ID, Action.COMPLETE), ended=False)
        assert [status for status, _ in complete] == [ReplicateStatus.COMPLETING, ReplicateStatus.COMPLETED]
        ((status, details),) = statuses_for_unknown_task(
            Command(1, TASK_ID, Action.ABORT, cause=ReplicateStatusCause.CONSENSUS_REACHED), ended=False
        )
        assert (status, details.cause) == (ReplicateStatus.ABORTED, ReplicateStatusCause.CONSENSUS_REACHED)

    def test_a_lost_result_is_reported_as_lost(self):
        ((status, _),) = statuses_for_unknown_task(Command(1, TASK_ID, Action.REVEAL), ended=False)
        assert status is ReplicateStatus.REVEAL_FAILED
        ((status, _),) = statuses_for_unknown_task(Command(1, TASK_ID, Action.UPLOAD), ended=False)
        assert status is ReplicateStatus.RESULT_UPLOAD_FAILED

    @pytest.mark.parametrize("action", Action)
    def test_a_replicate_that_ended_here_has_said_its_last_word(self, action):
        assert statuses_for_unknown_task(Command(1, TASK_ID, action), ended=True) == []


class TestSpelling:
    def test_a_record_survives_the_journal(self):
        record = ReplicateRecord(
            TASK_ID,
            Stage.REVEAL,
            ReplicateStatus.REVEALING,
            Result("0x11", "0x22", ReplicateStatusCause.POST_COMPUTE_COMPUTED_FILE_NOT_FOUND, "none"),
            SentTransaction("0xaa", "0xbb", 7),
            SentTransaction("0xcc", "0xdd", 8, ("0xee", "0xff")),
            12,
            9,
            (Command(9, TASK_ID, Action.ABORT, 5, ReplicateStatusCause.UNKNOWN),),
        )
        assert ReplicateRecord.from_json(record.to_json()) == record
        assert ReplicateRecord.from_json(ReplicateRecord(TASK_ID).to_json()) == ReplicateRecord(TASK_ID)

    def test_an_update_survives_the_journal(self):
        details = Details(
            ReplicateStatusCause.UNKNOWN, Receipt(5, "0xaa"), "link", "0x11", -1, "out\0é", "err", "text"
        )
        update = Update(7, TASK_ID, ReplicateStatus.COMPUTED, details)
        assert Update.from_json(update.to_json()) == update


class TestCommandLine:
    @pytest.mark.parametrize(
        ("text", "arguments"),
        [
            ("", []),
            ("   ", []),
            ("a b\tc\nd", ["a", "b", "c", "d"]),
            ("""'a b' "c d" e""", ["a b", "c d", "e"]),
            ("""a'b c'd""", ["ab cd"]),
            ("""'' "" x""", ["", "", "x"]),
            (r'''"say \"hi\" \n"''', [r'say "hi" \n']),
            (r"a\ b", ["a b"]),
            ("'never closed", ["never closed"]),
            ("trailing\\", ["trailing\\"]),
            ("$HOME `id` *", ["$HOME", "`id`", "*"]),
        ],
    )
    def test_is_split_like_a_shell_does(self, text, arguments):
        assert split(text) == arguments

    @given(st.lists(st.text(), max_size=8))
    def test_understands_what_a_shell_would_quote(self, arguments):
        assert split(" ".join(shlex.quote(argument) for argument in arguments)) == arguments

    @given(st.text())
    def test_never_fails(self, text):
        split(text)


class TestEnvironment:
    def test_without_data(self):
        assert app_environment(task(bot_size=5, bot_first=2)) == {
            "IEXEC_DEAL_ID": "0x" + "02" * 32,
            "IEXEC_TASK_INDEX": "3",
            "IEXEC_TASK_ID": TASK_ID,
            "IEXEC_IN": "/iexec_in",
            "IEXEC_OUT": "/iexec_out",
            "IEXEC_BOT_SIZE": "5",
            "IEXEC_BOT_FIRST_INDEX": "2",
            "IEXEC_BOT_TASK_INDEX": "3",
            "IEXEC_DATASET_ADDRESS": "",
            "IEXEC_DATASET_FILENAME": "",
            "IEXEC_INPUT_FILES_NUMBER": "0",
        }

    def test_with_dataset_and_input_files(self):
        urls = ("https://a/1", "https://a/2")
        found = app_environment(task(input_files=urls, dataset_address=WORKER))
        assert found["IEXEC_DATASET_FILENAME"] == WORKER
        assert found["IEXEC_INPUT_FILES_NUMBER"] == "2"
        assert found["IEXEC_INPUT_FILES_FOLDER"] == "/iexec_in"
        assert found["IEXEC_INPUT_FILE_NAME_2"] == "0x" + hashlib.sha256(b"https://a/2").hexdigest()


class TestImages:
    @pytest.mark.parametrize(
        ("uri", "name"),
        [
            ("app:1", "app:1"),
            ("docker.io/library/alpine:3", "alpine:3"),
            ("docker.io/me/app:1", "me/app:1"),
            ("registry.example.com:5000/me/app:v1.2", "registry.example.com:5000/me/app:v1.2"),
            ("app@sha256:" + "0" * 64, "app@sha256:" + "0" * 64),
        ],
    )
    def test_names_are_those_of_the_engine(self, uri, name):
        assert local_name(uri) == name

    @pytest.mark.parametrize(
        "uri", ["", "app", "registry:5000/app", "app:", "a b:1", "-rm:1", "app:1;id", "app:é"]
    )
    def test_a_name_without_tag_or_of_another_form_is_refused(self, uri):
        with pytest.raises(InvalidImageName):
            local_name(uri)

    def test_registry(self):
        assert registry_of("me/app:1") == registry_of("app:1") == DOCKER_HUB
        assert registry_of("localhost/app:1") == "localhost"
        assert registry_of("reg.example.com:5000/app:1") == "reg.example.com:5000"

    @pytest.mark.parametrize(
        ("work_minutes", "expected_minutes"),
        [(1, 5), (5, 7), (20, 13), (60, 18), (180, 23), (600, 28), (6000, 30)],
    )
    def test_pull_time_by_category(self, work_minutes, expected_minutes):
        assert pull_limit_s(work_minutes * 60, 300, 1800) == expected_minutes * 60

    def test_bounds_the_wrong_way_round(self):
        assert pull_limit_s(300, 600, 60) == 60


class TestHost:
    def test_slots(self):
        assert [
            slot_count(8, None, gpu=False),
            slot_count(1, None, gpu=False),
            slot_count(8, 3, gpu=False),
            slot_count(8, 3, gpu=True),
        ] == [
            7,
            1,
            3,
            1,
        ]

    def test_shares(self):
        limits = slot_limits(3, 10 << 30)
        assert limits.cpus == 1.0
        assert 2.9 * (1 << 30) < limits.memory_bytes < 3.1 * (1 << 30)


class TestSources:
    def test_gateways_in_order(self):
        assert dataset_urls("/ipfs/Qm1", ("https://a", "https://b/")) == [
            "https://a/ipfs/Qm1",
            "https://b/ipfs/Qm1",
        ]
        assert dataset_urls("https://x/y", ("https://a",)) == ["https://x/y"]
        assert dataset_urls("ftp://x", ("https://a",)) == []

    def test_zero_is_no_checksum(self):
        assert not has_checksum("0x" + "0" * 64)
        assert not has_checksum("")
        assert has_checksum("0x" + "0" * 63 + "1")


def chain_task(**fields):
    values = {
        "task_id": b"", "status": ChainTaskStatus.ACTIVE, "deal_id": b"", "index": 0, "category_time": 300,
        "contribution_deadline": 1000, "reveal_deadline": 500, "final_deadline": 2000, "consensus_value": b"c" * 32,
        "reveal_counter": 0, "winner_counter": 0, "contributors": (), "result_digest": b"", "results": b"",
        "results_timestamp": 0, "results_callback": b"",
    }  # fmt: skip
    return ChainTask(**(values | fields))


class TestPrechecks:
    def found(self, stake=10, now=1.0, **fields):
        return [
            cause.value
            for cause in contribution_obstacles(
                chain_task(**fields), Account(stake, 0), worker=WORKER, worker_stake=5, now=now
            )
        ]

    def test_each_cause_alone(self):
        assert self.found() == []
        assert self.found(stake=4) == ["STAKE_TOO_LOW"]
        assert self.found(status=ChainTaskStatus.REVEALING) == ["TASK_NOT_ACTIVE"]
        assert self.found(now=1000.0) == ["CONTRIBUTION_TIMEOUT"]
        assert self.found(contributors=(ZERO_ADDRESS, WORKER)) == ["CONTRIBUTION_ALREADY_SET"]

    def test_several_come_in_the_order_of_the_protocol(self):
        assert self.found(4, 2000.0, status=ChainTaskStatus.FAILED, contributors=(WORKER,)) == [
            "STAKE_TOO_LOW", "TASK_NOT_ACTIVE", "CONTRIBUTION_TIMEOUT", "CONTRIBUTION_ALREADY_SET",
        ]  # fmt: skip

    @pytest.mark.parametrize(
        ("fields", "own", "contributed", "now", "word"),
        [
            ({}, b"c" * 32, True, 1, ""),
            ({"status": ChainTaskStatus.ACTIVE}, b"c" * 32, True, 1, "not REVEALING"),
            ({}, b"c" * 32, True, 500, "deadline"),
            ({}, b"c" * 32, False, 1, "no contribution"),
            ({"consensus_value": b"d" * 32}, b"c" * 32, True, 1, "another result"),
            ({}, b"x" * 32, True, 1, "differs"),
        ],
    )
    def test_reveal(self, fields, own, contributed, now, word):
        found = reveal_obstacle(
            chain_task(**({"status": ChainTaskStatus.REVEALING} | fields)),
            b"c" * 32,
            own,
            contributed=contributed,
            now=now,
        )
        assert re.search(word, found)
        assert bool(found) is bool(word)
