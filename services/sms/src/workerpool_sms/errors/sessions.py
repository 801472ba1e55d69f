"""Refusals of challenges and sessions, with the protocol's `TeeSessionGenerationError` as reason where one exists."""

from workerpool_kit.errors import Kind

from workerpool_sms.errors.base import SmsError


class SessionRefused(SmsError):
    """The base class of every refusal of a session."""

    kind = Kind.PERMISSION
    reason = "SESSION_REFUSED"


# Authorization, in the order of the checks


class WrongAudience(SessionRefused):
    """The request is signed for another service."""

    kind = Kind.UNAUTHENTICATED
    reason = "WRONG_AUDIENCE"


class ChallengeInvalid(SessionRefused):
    """The nonce is not of this SMS, of another worker or task, or has expired."""

    kind = Kind.UNAUTHENTICATED
    reason = "BAD_CHALLENGE"


class NotSelfSigned(SessionRefused):
    """The request is not signed by the worker of the authorization."""

    kind = Kind.UNAUTHENTICATED
    reason = "INVALID_AUTHORIZATION"


class EmptyAuthorization(SessionRefused):
    """Wallet, task or signature of the authorization is empty (all zeros)."""

    kind = Kind.INVALID
    reason = "EXECUTION_NOT_AUTHORIZED_EMPTY_PARAMS_UNAUTHORIZED"


class TaskNotOnChain(SessionRefused):
    """The task is not on chain."""

    kind = Kind.NOT_FOUND
    reason = "EXECUTION_NOT_AUTHORIZED_GET_CHAIN_TASK_FAILED"


class TaskNotActive(SessionRefused):
    """The task is not in the phase in which it is computed."""

    kind = Kind.PRECONDITION
    reason = "EXECUTION_NOT_AUTHORIZED_TASK_NOT_ACTIVE"


class FinalDeadlineReached(SessionRefused):
    """The task's final deadline has passed."""

    kind = Kind.PRECONDITION
    reason = "EXECUTION_NOT_AUTHORIZED_TASK_FINAL_DEADLINE_REACHED"


class DealNotOnChain(SessionRefused):
    """The deal of the task is not on chain."""

    kind = Kind.NOT_FOUND
    reason = "EXECUTION_NOT_AUTHORIZED_GET_CHAIN_DEAL_FAILED"


class EnclaveMismatch(SessionRefused):
    """The tag of the deal requires another TEE framework, or none."""

    reason = "EXECUTION_NOT_AUTHORIZED_NO_MATCH_ONCHAIN_TYPE"


class NotSignedByPoolOwner(SessionRefused):
    """The signature is not that of the owner of the deal's workerpool."""

    kind = Kind.UNAUTHENTICATED
    reason = "EXECUTION_NOT_AUTHORIZED_INVALID_SIGNATURE"


# Content


class SignatureTokensMissing(SessionRefused):
    """The enclave's signing key cannot be released; each use has its own reason."""

    kind = Kind.PRECONDITION
    reason = "GET_SIGNATURE_TOKENS_FAILED_EMPTY_TEE_CHALLENGE"


class DatasetSecretMissing(SessionRefused):
    """The key of the deal's dataset is not stored."""

    kind = Kind.PRECONDITION
    reason = "PRE_COMPUTE_GET_DATASET_SECRET_FAILED"


class EnclaveConfigMissing(SessionRefused):
    """The app is registered without an enclave configuration, which SCONE and Gramine need."""

    kind = Kind.PRECONDITION
    reason = "APP_COMPUTE_NO_ENCLAVE_CONFIG"


class EnclaveConfigInvalid(SessionRefused):
    """The enclave configuration of the app cannot be used."""

    kind = Kind.PRECONDITION
    reason = "APP_COMPUTE_INVALID_ENCLAVE_CONFIG"


class BeneficiaryKeyMissing(SessionRefused):
    """The result must be encrypted, and the beneficiary stored no public key."""

    kind = Kind.PRECONDITION
    reason = "POST_COMPUTE_GET_ENCRYPTION_TOKENS_FAILED_EMPTY_BENEFICIARY_KEY"


class StorageTokenMissing(SessionRefused):
    """No token for the storage of the result is stored."""

    kind = Kind.PRECONDITION
    reason = "POST_COMPUTE_GET_STORAGE_TOKENS_FAILED"


class AttestationUnavailable(SessionRefused):
    """Enclaves cannot be verified yet, and the setting that allows unverified ones is off."""

    kind = Kind.PRECONDITION
    reason = "ATTESTATION_NOT_AVAILABLE"


class SessionFailed(SessionRefused):
    """The service of the framework could not store the session."""

    kind = Kind.INTERNAL
    reason = "SECURE_SESSION_GENERATION_FAILED"


class SessionNotFound(SessionRefused):
    """There is no such session: it never existed, was already read, or has expired."""

    kind = Kind.NOT_FOUND
    reason = "SESSION_NOT_FOUND"


# Properties


class UnknownFrameworkVersion(SmsError):
    """No images are configured for this version of the framework."""

    kind = Kind.NOT_FOUND
    reason = "UNKNOWN_FRAMEWORK_VERSION"


class WrongFramework(SmsError):
    """This SMS serves another TEE framework."""

    kind = Kind.PRECONDITION
    reason = "WRONG_TEE_FRAMEWORK"
