"""The documents of core's database and their indexes. Dates are Unix seconds.

Hot writes are grouped and go through `writer`; these classes are the schema that it fills and the
source of the indexes.
"""

from mongoengine import (
    BinaryField,
    BooleanField,
    DictField,
    Document,
    FloatField,
    IntField,
    ListField,
    LongField,
    StringField,
)


class TaskDocument(Document):  # type: ignore[misc]
    """One task; `_id` is the task id. `journal` is the last journal entry that the document holds."""

    meta = {  # noqa: RUF012 - the form mongoengine asks for
        "collection": "task",
        "auto_create_index": False,
        "indexes": [
            {"fields": ["deal_id", "index"], "unique": True},
            ("status", "final_block"),
            {"fields": ["ended_at"], "partialFilterExpression": {"ended_at": {"$gt": 0}}},
            ("-terms.block", "deal_id", "index"),
            ("terms.requester", "-terms.block", "deal_id", "index"),
            "terms.contribution_deadline",
            "claim_due",
        ],
    }
    task_id = StringField(primary_key=True)
    deal_id = StringField(required=True)
    index = LongField(required=True)
    status = StringField(required=True)
    history = ListField(DictField())
    terms = DictField()
    initialization_block = LongField()
    enclave_challenge = StringField()
    sms_url = StringField()
    consensus = StringField()
    consensus_block = LongField()
    reveal_deadline = FloatField()
    winner_count = IntField()
    uploader = StringField()
    upload_requested_at = FloatField()
    result_link = StringField()
    callback_data = StringField()
    claim_due = BooleanField()
    final_block = LongField()
    ended_at = FloatField()
    journal = LongField()


class ReplicateDocument(Document):  # type: ignore[misc]
    """One worker's work on one task; `_id` is `<task id>:<wallet>`, so that a pair exists once."""

    meta = {  # noqa: RUF012
        "collection": "replicate",
        "auto_create_index": False,
        "indexes": [{"fields": ["task_id", "wallet"], "unique": True}, "wallet"],
    }
    replicate_id = StringField(primary_key=True)
    task_id = StringField(required=True)
    wallet = StringField(required=True)
    weight = LongField()
    status = StringField(required=True)
    history = ListField(DictField())
    contribution_hash = StringField()
    result_link = StringField()
    callback_data = StringField()
    exit_code = IntField()
    logs_present = BooleanField()
    journal = LongField()


class WorkerDocument(Document):  # type: ignore[misc]
    """A worker that registered at least once; `_id` is its wallet."""

    meta = {"collection": "worker", "auto_create_index": False, "indexes": []}  # noqa: RUF012
    wallet = StringField(primary_key=True)
    model = DictField()
    registered_at = FloatField()
    last_seen = FloatField()
    lost = BooleanField()
    drained_until = FloatField()
    quarantined_until = FloatField()
    consecutive_failures = IntField()
    journal = LongField()


class CommandDocument(Document):  # type: ignore[misc]
    """A command that its worker has not acknowledged yet; `_id` is `<wallet>:<sequence>`."""

    meta = {"collection": "command", "auto_create_index": False, "indexes": ["wallet"]}  # noqa: RUF012
    command_id = StringField(primary_key=True)
    wallet = StringField(required=True)
    sequence = LongField(required=True)
    task_id = StringField()
    action = StringField()
    block = LongField()
    cause = StringField()
    journal = LongField()


class TaskLogsDocument(Document):  # type: ignore[misc]
    """The compute logs of one replicate; purged some days after the task's final deadline."""

    meta = {"collection": "taskLogs", "auto_create_index": False, "indexes": ["task_id"]}  # noqa: RUF012
    logs_id = StringField(primary_key=True)
    task_id = StringField(required=True)
    wallet = StringField(required=True)
    stdout = StringField()
    stderr = StringField()
    journal = LongField()


class CursorDocument(Document):  # type: ignore[misc]
    """The last block whose effects are all stored; one document. Deleting it starts from IEXEC_START_BLOCK_NUMBER."""

    meta = {"collection": "cursor", "auto_create_index": False, "indexes": []}  # noqa: RUF012
    name = StringField(primary_key=True)
    number = LongField()
    hash = StringField()
    journal = LongField()


class JournalDocument(Document):  # type: ignore[misc]
    """One durable batch of changes; `_id` rises by one. Removed once the other collections hold it."""

    meta = {"collection": "journal", "auto_create_index": False, "indexes": []}  # noqa: RUF012
    number = LongField(primary_key=True)
    changes = ListField(DictField())


class SigningKeyDocument(Document):  # type: ignore[misc]
    """A key that signs workers' bearer tokens; kept so that tokens survive a restart."""

    meta = {"collection": "signingKey", "auto_create_index": False, "indexes": []}  # noqa: RUF012
    kid = StringField(primary_key=True)
    secret = BinaryField()
    created_at = FloatField()


MODELS: tuple[type[Document], ...] = (
    TaskDocument,
    ReplicateDocument,
    WorkerDocument,
    CommandDocument,
    TaskLogsDocument,
    CursorDocument,
    JournalDocument,
    SigningKeyDocument,
)
"""Everything that `Database.connect` prepares."""
