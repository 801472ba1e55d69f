"""The Docker network that the apps of this worker join."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

from workerpool_worker.errors import DockerUnavailable

_NOT_OPEN = "the network of apps is not open yet"


class AppNetwork(Protocol):
    """A network of apps."""

    def place(self, name: str = "") -> AbstractAsyncContextManager[str]:
        """Yield the engine's network mode of a new container, reserved while the block creates the container.

        An earlier container with the `name` of the new one has no claim on its place. Raises `DockerUnavailable`.
        """

    def joined(self, container: str, mode: str) -> None:
        """Record that a container was created with the mode that `place` yielded. Call it inside `place`."""

    def left(self, container: str) -> None:
        """Record that a container has ended or was removed."""

    def in_use(self) -> AbstractAsyncContextManager[None]:
        """Keep the network safe while the block runs. Raises `DockerUnavailable` if it is not open yet."""


class UnopenedNetwork:
    """The network before it is open, because the engine does not answer: no app starts or runs in it."""

    def place(self, name: str = "") -> AbstractAsyncContextManager[str]:
        """Raise `DockerUnavailable`."""
        raise DockerUnavailable(_NOT_OPEN)

    def joined(self, container: str, mode: str) -> None:
        """Do nothing: no container joins it."""

    def left(self, container: str) -> None:
        """Do nothing: no container joined it."""

    def in_use(self) -> AbstractAsyncContextManager[None]:
        """Raise `DockerUnavailable`."""
        raise DockerUnavailable(_NOT_OPEN)


class NamedNetwork:
    """A network that the operator chose, used as it is: `none`, `bridge`, or one of the operator's own."""

    def __init__(self, mode: str) -> None:
        self.mode = mode

    @asynccontextmanager
    async def place(self, name: str = "") -> AsyncIterator[str]:
        """Yield the network's name."""
        yield self.mode

    def joined(self, container: str, mode: str) -> None:
        """Do nothing: apps hold no exclusive part of it."""

    def left(self, container: str) -> None:
        """Do nothing: apps hold no exclusive part of it."""

    @asynccontextmanager
    async def in_use(self) -> AsyncIterator[None]:
        """Do nothing: the network is the operator's."""
        yield
