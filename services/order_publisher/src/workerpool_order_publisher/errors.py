"""The order publisher's errors: one root, one class per cause."""

from workerpool_kit.errors import Kind, WorkerpoolError


class OrderPublisherError(WorkerpoolError):
    """Root of the order publisher's errors."""


class OperatorDisabled(OrderPublisherError):
    """No operator credentials are configured."""

    kind = Kind.PERMISSION
    reason = "OPERATOR_DISABLED"


class JournalUnusable(OrderPublisherError):
    """The journal of the orders cannot be opened, read or written."""

    reason = "JOURNAL_UNUSABLE"
