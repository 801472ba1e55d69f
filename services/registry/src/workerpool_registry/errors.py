"""The registry's errors: one root, one class per cause."""

from workerpool_kit.errors import Kind, WorkerpoolError


class RegistryError(WorkerpoolError):
    """Root of the registry's errors."""


class StackNotFound(RegistryError):
    """No property file describes the stack under this label."""

    kind = Kind.NOT_FOUND
    reason = "STACK_NOT_FOUND"
