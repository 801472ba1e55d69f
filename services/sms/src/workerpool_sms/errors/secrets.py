"""Refusals of secrets (worker spec D)."""

from workerpool_kit.errors import Kind

from workerpool_sms.errors.base import SmsError


class InvalidSecretName(SmsError):
    """The address or name of the secret is malformed."""

    kind = Kind.INVALID
    reason = "INVALID_SECRET_NAME"


class SecretEmpty(SmsError):
    """The value is empty, or consists of white space."""

    kind = Kind.INVALID
    reason = "SECRET_EMPTY"


class SecretNotText(SmsError):
    """The value is not UTF-8 text."""

    kind = Kind.INVALID
    reason = "SECRET_NOT_TEXT"


class SecretTooLarge(SmsError):
    """The value has more than 4096 bytes."""

    kind = Kind.INVALID
    reason = "SECRET_TOO_LARGE"


class NotSignedByOwner(SmsError):
    """The signature is not that of the secret's owner."""

    kind = Kind.UNAUTHENTICATED
    reason = "NOT_SIGNED_BY_OWNER"


class SecretExists(SmsError):
    """The secret exists, and its kind is written once or the request does not replace it."""

    kind = Kind.ALREADY_EXISTS
    reason = "SECRET_EXISTS"


class TooManySecrets(SmsError):
    """The wallet has reached its limit of secrets."""

    kind = Kind.EXHAUSTED
    reason = "TOO_MANY_SECRETS"


class DepositNeeded(SmsError):
    """The SMS is half full, and the wallet has no deposit in the hub."""

    kind = Kind.EXHAUSTED
    reason = "DEPOSIT_NEEDED"


class SmsFull(SmsError):
    """The SMS has reached its limit of secrets."""

    kind = Kind.EXHAUSTED
    reason = "SMS_FULL"


class SecretNotFound(SmsError):
    """There is no such secret."""

    kind = Kind.NOT_FOUND
    reason = "SECRET_NOT_FOUND"
