"""The schema of core's database: one document class per collection, with its fields, indexes and domain type.

Everything else in this package derives from these classes: `records` converts between documents and domain values,
`queries` and `snapshots` query through `objects`, and `Database.connect` creates the indexes. Dates are Unix seconds.

Fields have the names of their domain attributes. `computed` lists the fields without such an attribute, and `sparse`
those that a record omits while they are empty.
"""

from operator import attrgetter
from typing import Any, ClassVar

from mongoengine import (
    BinaryField,
    BooleanField,
    DictField,
    Document,
    EmbeddedDocument,
    EmbeddedDocumentField,
    EnumField,
    FloatField,
    IntField,
    ListField,
    LongField,
    QuerySet,
    StringField,
)
from pymongo.read_concern import ReadConcern
from workerpool_poco.protocol.statuses import (
    FINAL_TASK_STATUSES,
    ReplicateStatus,
    ReplicateStatusCause,
    TaskStatus,
)

from workerpool_core.domain import model
from workerpool_core.domain.model import Action, ErrorDecision, Modifier


class LocalQuerySet(QuerySet):  # type: ignore[misc]
    """Queries that read from the primary without waiting for a majority.

    The collections only contain changes that the journal has made durable, and a query must see those just applied.
    """

    def __init__(self, document: type[Document], collection: Any) -> None:
        super().__init__(document, collection)
        self._read_concern = ReadConcern("local")


class StoredDocument(Document):  # type: ignore[misc]
    """A document written through the journal; `journal` is the number of the newest entry that it contains."""

    meta = {"abstract": True, "queryset_class": LocalQuerySet, "auto_create_index": False}  # noqa: RUF012
    domain_type: ClassVar[type[Any]]
    computed: ClassVar[dict[str, Any]] = {}

    journal = LongField()


# --- embedded documents -------------------------------------------------------------------------


class ReceiptDocument(EmbeddedDocument):  # type: ignore[misc]
    """A mined transaction."""

    domain_type = model.Receipt

    block = LongField()
    transaction = StringField()


class TaskChangeDocument(EmbeddedDocument):  # type: ignore[misc]
    """One entry of a task's history."""

    domain_type = model.TaskChange

    status = EnumField(TaskStatus, required=True)
    date = FloatField(required=True)
    receipt = EmbeddedDocumentField(ReceiptDocument)


class ReplicateChangeDocument(EmbeddedDocument):  # type: ignore[misc]
    """One entry of a replicate's history."""

    domain_type = model.ReplicateChange
    sparse: ClassVar[frozenset[str]] = frozenset({"message"})

    status = EnumField(ReplicateStatus, required=True)
    date = FloatField(required=True)
    modifier = EnumField(Modifier, required=True)
    cause = EnumField(ReplicateStatusCause)
    receipt = EmbeddedDocumentField(ReceiptDocument)
    message = StringField()


class TermsDocument(EmbeddedDocument):  # type: ignore[misc]
    """The terms of a deal, repeated in each of its tasks."""

    domain_type = model.DealTerms

    deal_id = StringField()
    block = LongField()
    app_address = StringField()
    app_uri = StringField()
    command_line = StringField()
    input_files = ListField(StringField(), required=True)
    dataset_address = StringField()
    dataset_uri = StringField()
    dataset_checksum = StringField()
    trust = LongField()
    category = LongField()
    max_execution_s = LongField()
    tag = StringField()
    requester = StringField()
    beneficiary = StringField()
    callback = StringField()
    bot_first = LongField()
    bot_size = LongField()
    worker_stake = LongField()
    start_time = FloatField()
    contribution_deadline = FloatField()
    final_deadline = FloatField()
    storage_provider = StringField()
    storage_proxy = StringField()
    result_encryption = BooleanField()
    secrets = ListField(ListField(StringField()), required=True)
    free = BooleanField()


class WorkerModelDocument(EmbeddedDocument):  # type: ignore[misc]
    """The machine of a worker."""

    domain_type = model.WorkerModel

    name = StringField()
    version = StringField()
    os = StringField()
    cpu = StringField()
    slots = LongField()
    memory_bytes = LongField()
    gpus = LongField()
    sgx = BooleanField()
    tdx = BooleanField()
    slot_memory_bytes = LongField()


# --- collections --------------------------------------------------------------------------------


class DealDocument(StoredDocument):
    """A deal until its contribution deadline; `_id` is the deal id."""

    meta = {"collection": "deal"}  # noqa: RUF012
    domain_type = model.PoolDeal

    deal_id = StringField(primary_key=True)
    terms = EmbeddedDocumentField(TermsDocument, required=True)
    on_chain = BooleanField()


class TaskDocument(StoredDocument):
    """One task; `_id` is the task id. `ended_at` exists once the task has ended."""

    meta = {  # noqa: RUF012 - the form mongoengine asks for
        "collection": "task",
        "indexes": [
            {"fields": ["deal_id", "index"], "unique": True},
            ("status", "final_block"),
            {"fields": ["ended_at"], "partialFilterExpression": {"ended_at": {"$gt": 0}}},
            ("-terms.block", "deal_id", "index"),
            ("terms.requester", "-terms.block", "deal_id", "index"),
            ("status", "-terms.block", "deal_id", "index"),
            ("terms.requester", "status", "-terms.block", "deal_id", "index"),
            ("deal_id", "status", "index"),
            "terms.contribution_deadline",
            "claim_due",
        ],
    }
    domain_type = model.Task
    sparse: ClassVar[frozenset[str]] = frozenset({"error_message"})
    computed: ClassVar[dict[str, Any]] = {"deal_id": attrgetter("terms.deal_id")}

    task_id = StringField(primary_key=True)
    deal_id = StringField(required=True)
    index = LongField(required=True)
    status = EnumField(TaskStatus, required=True)
    history = ListField(EmbeddedDocumentField(TaskChangeDocument), required=True)
    terms = EmbeddedDocumentField(TermsDocument, required=True)
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
    error_cause = EnumField(ReplicateStatusCause)
    error_message = StringField()
    ended_at = FloatField()


class ReplicateDocument(StoredDocument):
    """The work of one worker on one task; `_id` is `<task id>:<wallet>`, so a pair exists once."""

    meta = {  # noqa: RUF012
        "collection": "replicate",
        "indexes": [{"fields": ["task_id", "wallet"], "unique": True}, "wallet"],
    }
    domain_type = model.Replicate
    sparse: ClassVar[frozenset[str]] = frozenset({"decided_at", "overdue", "blamed"})

    replicate_id = StringField(primary_key=True)
    task_id = StringField(required=True)
    wallet = StringField(required=True)
    weight = LongField()
    status = EnumField(ReplicateStatus, required=True)
    history = ListField(EmbeddedDocumentField(ReplicateChangeDocument), required=True)
    contribution_hash = StringField()
    result_link = StringField()
    callback_data = StringField()
    exit_code = IntField(null=True)
    logs_present = BooleanField()
    error_decision = EnumField(ErrorDecision)
    decided_at = FloatField()
    overdue = BooleanField()
    blamed = BooleanField()


class WorkerDocument(StoredDocument):
    """A worker that has registered; `_id` is its wallet. Its session and pending commands are not part of it."""

    meta = {"collection": "worker"}  # noqa: RUF012
    domain_type = model.Worker
    sparse: ClassVar[frozenset[str]] = frozenset({"suspended_until"})

    wallet = StringField(primary_key=True)
    model = EmbeddedDocumentField(WorkerModelDocument, required=True)
    registered_at = FloatField()
    last_seen = FloatField()
    lost = BooleanField()
    drained_until = FloatField()
    quarantined_until = FloatField()
    consecutive_failures = IntField()
    successes = LongField()
    suspended_until = FloatField()


class CommandDocument(StoredDocument):
    """A command that its worker has not acknowledged; `_id` is `<wallet>:<sequence>`."""

    meta = {"collection": "command", "indexes": ["wallet"]}  # noqa: RUF012
    domain_type = model.Command

    command_id = StringField(primary_key=True)
    wallet = StringField(required=True)
    sequence = LongField(required=True)
    task_id = StringField()
    action = EnumField(Action, required=True)
    block = LongField()
    cause = EnumField(ReplicateStatusCause)


class TaskLogsDocument(StoredDocument):
    """The compute logs of one replicate; `_id` is `<task id>:<wallet>`. The log purge deletes them."""

    meta = {"collection": "taskLogs", "indexes": ["task_id"]}  # noqa: RUF012

    logs_id = StringField(primary_key=True)
    task_id = StringField(required=True)
    wallet = StringField(required=True)
    stdout = StringField()
    stderr = StringField()


class CursorDocument(StoredDocument):
    """The last block whose effects are all stored: one document with `_id` "chain".

    After its deletion core starts from IEXEC_START_BLOCK_NUMBER.
    """

    ID: ClassVar = "chain"
    meta = {"collection": "cursor"}  # noqa: RUF012

    name = StringField(primary_key=True)
    number = LongField()
    hash = StringField()


class JournalDocument(Document):  # type: ignore[misc]
    """One durable batch of changes; `_id` rises by one per batch. An entry is removed after it is applied durably."""

    meta = {"collection": "journal", "auto_create_index": False}  # noqa: RUF012

    number = LongField(primary_key=True)
    changes = ListField(DictField())


class RemovedTasksDocument(Document):  # type: ignore[misc]
    """What is still told of tasks that were removed after their retention: one document with `_id` "removed"."""

    ID: ClassVar = "removed"
    meta = {"collection": "removedTasks", "auto_create_index": False}  # noqa: RUF012

    name = StringField(primary_key=True)
    counts = DictField(LongField())
    latest_deal_block = LongField()


class SigningKeyDocument(Document):  # type: ignore[misc]
    """A key that signs workers' bearer tokens, stored so that tokens outlive a restart."""

    meta = {"collection": "signingKey", "auto_create_index": False}  # noqa: RUF012

    kid = StringField(primary_key=True)
    secret = BinaryField()
    created_at = FloatField()


ENDED_STATUSES = tuple(sorted(FINAL_TASK_STATUSES, key=lambda status: status.value))
"""The final task statuses in a fixed order, for queries."""

APPLIED: tuple[type[StoredDocument], ...] = (
    DealDocument,
    TaskDocument,
    ReplicateDocument,
    WorkerDocument,
    CommandDocument,
    TaskLogsDocument,
    CursorDocument,
)
"""The collections that follow the journal."""

MODELS: tuple[type[Document], ...] = (*APPLIED, JournalDocument, RemovedTasksDocument, SigningKeyDocument)
"""Every document class; `Database.connect` creates their indexes."""
