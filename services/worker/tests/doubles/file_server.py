"""A file server that misbehaves as a test says, on a real socket."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable

Answer = Callable[["Exchange"], Awaitable[None]]


class Exchange:
    """One request, as text, and the connection to answer it."""

    def __init__(self, head: str, writer: asyncio.StreamWriter) -> None:
        self.head = head
        self.writer = writer

    @property
    def target(self) -> str:
        """The path and query of the request, exactly as sent."""
        return self.head.split(" ", 2)[1]

    @property
    def path(self) -> str:
        """The path of the request."""
        return self.target.partition("?")[0]

    def header(self, name: str) -> str | None:
        """Return a header of the request."""
        for line in self.head.split("\r\n")[1:]:
            key, _, value = line.partition(":")
            if key.lower() == name.lower():
                return value.strip()
        return None

    async def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.writer.write(data)
        await self.writer.drain()

    async def reply(self, status: int = 200, body: bytes = b"", **headers: str) -> None:
        """Send a well-formed answer. `headers` uses `_` for `-`."""
        fields = {"Content-Length": str(len(body))} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        await self.send(f"HTTP/1.1 {status} Answer\r\n{head}\r\n".encode() + body)


class FileServer:
    """Answers each request with the function of its path; 404 without one. Counts what it was asked."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.exchanges: list[Exchange] = []
        self.connections = 0
        self.url = ""
        self.greeting = b""
        """Sent to each connection before it asks."""
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(
        self, host: str = "127.0.0.1", *, port: int = 0, tls: ssl.SSLContext | None = None
    ) -> None:
        """Listen on a port, on a free one by default."""
        self._server = await asyncio.start_server(self._accept, host, port, ssl=tls)
        self.port: int = self._server.sockets[0].getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://{host}:{self.port}"

    async def stop(self) -> None:
        """End the connections and stop listening."""
        assert self._server is not None
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def serves(self, path: str, answer: Answer | bytes) -> str:
        """Answer a path with a function or with bytes; return its URL."""
        if isinstance(answer, bytes):
            body = answer

            async def send_body(exchange: Exchange) -> None:
                await exchange.reply(200, body)

            answer = send_body
        self.answers[path] = answer
        return f"{self.url}{path}"

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            writer.write(self.greeting)
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                exchange = Exchange(head, writer)
                self.exchanges.append(exchange)
                answer = self.answers.get(exchange.path)
                if answer is None:
                    await exchange.reply(404)
                else:
                    await answer(exchange)
                if exchange.header("Connection") == "close" or writer.is_closing():
                    return
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            writer.close()
