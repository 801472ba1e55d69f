"""What a caller of the registry can get wrong."""

from workerpool_kit.errors import Kind, WorkerpoolError


class RegistryError(WorkerpoolError):
    """Root of the registry's errors."""


class StackNotFound(RegistryError):
    """No file describes the stack under this label."""

    kind = Kind.NOT_FOUND
    reason = "STACK_NOT_FOUND"
