"""Files over HTTP: what the server does wrong is the task's matter, what the own disk does wrong is not."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from workerpool_worker.adapters.http_downloads import HttpDownloader
from workerpool_worker.errors import DownloadFailed, HostStorageUnavailable

SHA256_OF_HELLO = "0x2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
LIMIT_BYTES = 1 << 20


class Files(BaseHTTPRequestHandler):
    """A server with a few files."""

    def do_GET(self):
        content = {"/hello": b"hello", "/large": bytes(LIMIT_BYTES + 1)}.get(self.path.partition("?")[0])
        self.send_response(200 if content is not None else 404)
        self.send_header("Content-Length", str(len(content or b"")))
        self.end_headers()
        self.wfile.write(content or b"")

    def log_message(self, *_):
        pass


@pytest.fixture
def files():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Files)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
async def downloader():
    made = HttpDownloader(LIMIT_BYTES)
    yield made
    await made.close()


async def test_a_file_is_saved_once(files, downloader, tmp_path):
    target = tmp_path / "file"
    assert await downloader.fetch(f"{files}/hello", target) == SHA256_OF_HELLO
    assert target.read_bytes() == b"hello"
    assert await downloader.fetch("http://127.0.0.1:9/nothing", target) == SHA256_OF_HELLO


@pytest.mark.parametrize("path", ["/nothing?key=secret", "/large"])
async def test_what_the_server_does_not_give_leaves_nothing(files, downloader, tmp_path, path):
    with pytest.raises(DownloadFailed) as failed:
        await downloader.fetch(files + path, tmp_path / "file")
    assert "secret" not in str(failed.value)
    assert not list(tmp_path.iterdir())


async def test_a_full_disk_is_not_the_file_s_fault(files, downloader, tmp_path):
    """Else the worker would contribute that the requester's file cannot be had."""
    (tmp_path / "file.part").symlink_to("/dev/full")
    with pytest.raises(HostStorageUnavailable, match="No space left on device"):
        await downloader.fetch(f"{files}/hello", tmp_path / "file")
    assert not list(tmp_path.iterdir()), "half a file would keep the disk full"
