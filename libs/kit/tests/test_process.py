"""A service process from outside: help, version, ignored variables, exit codes, signals."""

import asyncio
import os
import resource
import signal
import sys
from pathlib import Path

import pytest
from certificates import Authority
from patience import PATIENCE_S
from workerpool_kit.process import Lifetime

PROGRAM = """
import asyncio, ctypes, os, resource, sys
from workerpool_kit.process import StartupError, run_service
from workerpool_kit.settings.base import Settings, env
from workerpool_kit.settings.outside import OutsideSettings
from workerpool_kit.settings.types import Port
from workerpool_kit.tls.identity import identity
from pathlib import Path

prctl, GET_DUMPABLE = ctypes.CDLL(None).prctl, 3

class DemoSettings(Settings, OutsideSettings):
    own_prefixes = ("DEMO_",)
    ignored_variables = {"DEMO_POLL": "work is pushed; nothing replaces it"}
    port: Port = env("DEMO_PORT", 0, doc="Port to listen on")
    key: Path = env("DEMO_KEY", Path("/none"), doc="Key", secret_file=True)

async def crash():
    raise RuntimeError("boom")

async def serve(settings, lifetime):
    how = sys.stdin.readline().strip()
    print("up", flush=True)
    try:
        match how:
            case "refuse": raise StartupError("no chain at http://x; start it")
            case "crash": raise RuntimeError("boom")
            case "spawn": lifetime.spawn(crash(), "demo")
            case "start": await asyncio.Event().wait()
            case "end": return
            case "limits": print(*resource.getrlimit(resource.RLIMIT_NOFILE), flush=True)
            case "tls": print(identity().serves_tls, os.environ.get("http_proxy"), flush=True)
            case "dumps": print(*resource.getrlimit(resource.RLIMIT_CORE), prctl(GET_DUMPABLE), flush=True)
        await lifetime.stopped()
        if how == "linger":
            await asyncio.Event().wait()
    finally:
        print("down", flush=True)

run_service(DemoSettings, serve, name="demo", about="Shows how a service lives.")
"""


class Demo:
    def __init__(self, script: Path) -> None:
        self.script = script

    async def start(self, *arguments: str, how: str = "", **environ: str) -> asyncio.subprocess.Process:
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(self.script),
            *arguments,
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            env={**os.environ, **environ},
        )
        assert process.stdin is not None
        process.stdin.write(how.encode() + b"\n")
        return process

    async def run(self, *arguments: str, how: str = "", **environ: str) -> tuple[int | None, str, str]:
        process = await self.start(*arguments, how=how, **environ)
        out, err = await asyncio.wait_for(process.communicate(), PATIENCE_S)
        return process.returncode, out.decode(), err.decode()

    async def up(self, how: str) -> asyncio.subprocess.Process:
        process = await self.start(how=how)
        assert process.stdout is not None
        assert await asyncio.wait_for(process.stdout.readline(), PATIENCE_S) == b"up\n"
        return process


@pytest.fixture
def demo(tmp_path: Path) -> Demo:
    script = tmp_path / "demo.py"
    script.write_text(PROGRAM)
    return Demo(script)


async def test_help_shows_the_purpose_and_every_setting(demo: Demo) -> None:
    code, out, _ = await demo.run("--help")
    assert code == 0
    assert "Shows how a service lives." in out
    assert "DEMO_PORT  [port; default: 0]" in out


async def test_variable_without_effect_is_named_with_its_successor(demo: Demo) -> None:
    code, _, log = await demo.run(how="end", DEMO_POLL="5")
    assert code == 0
    (line,) = [line for line in log.splitlines() if "setting.ignored" in line]
    assert "DEMO_POLL" in line
    assert "work is pushed; nothing replaces it" in line
    assert "DEMO_POLL" in (await demo.run("--help"))[1]


async def test_unusable_environment_exits_with_2_and_names_the_variables(demo: Demo) -> None:
    code, _, err = await demo.run(DEMO_PORT="x", DEMO_PROT="1")
    assert code == 2
    assert [line.split(":")[0].strip() for line in err.splitlines()[1:]] == ["DEMO_PORT", "DEMO_PROT"]


@pytest.mark.parametrize(
    ("how", "code", "words"),
    [
        ("refuse", 1, "demo: no chain at http://x; start it"),
        ("crash", 1, "demo: stopped by an unexpected RuntimeError: boom"),
        ("spawn", 1, "demo: stopped by an unexpected RuntimeError: boom"),
        ("end", 0, ""),
    ],
)
async def test_exit_code_names_how_the_service_ended(demo: Demo, how: str, code: int, words: str) -> None:
    exit_code, out, err = await demo.run(how=how)
    assert (exit_code, out) == (code, "up\ndown\n")
    assert words in err.splitlines() or not words
    assert ("Traceback" in err) is (how in ("crash", "spawn"))


@pytest.mark.parametrize("how", ["serve", "start"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_signal_stops_the_service_also_during_its_start(
    demo: Demo, how: str, number: signal.Signals
) -> None:
    process = await demo.up(how)
    process.send_signal(number)
    out, _ = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    assert (process.returncode, out) == (0, b"down\n")


async def test_a_second_signal_forces_the_end(demo: Demo) -> None:
    process = await demo.up("linger")
    assert process.stderr is not None
    process.send_signal(signal.SIGTERM)
    while b"process.stop_requested" not in await asyncio.wait_for(process.stderr.readline(), PATIENCE_S):
        pass
    process.send_signal(signal.SIGTERM)
    await asyncio.wait_for(process.communicate(), PATIENCE_S)
    assert process.returncode == 128 + signal.SIGTERM


async def test_limit_of_open_files_is_raised(demo: Demo) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = max(int(number) for number in os.listdir("/proc/self/fd"))
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, used + 64), hard))
    try:
        process = await demo.up("limits")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert process.stdout is not None
    wanted = 65_536 if hard == resource.RLIM_INFINITY else min(hard, 65_536)
    assert await process.stdout.readline() == f"{wanted} {hard}\n".encode()
    process.terminate()
    await asyncio.wait_for(process.wait(), PATIENCE_S)


async def test_spawned_tasks_are_cancelled_with_the_lifetime() -> None:
    lifetime = Lifetime()
    task = lifetime.spawn(asyncio.Event().wait(), "endless")
    lifetime.stop("test")
    await lifetime.stopped()
    await lifetime.cancel_spawned()
    assert task.cancelled()
    assert lifetime.failure is None


async def test_a_process_leaves_no_core_dump(demo: Demo) -> None:
    process = await demo.up("dumps")
    assert process.stdout is not None
    assert await asyncio.wait_for(process.stdout.readline(), PATIENCE_S) == b"0 0 0\n"
    process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(process.wait(), PATIENCE_S) == 0


async def test_a_start_names_a_secret_file_that_other_users_can_read(demo: Demo, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.touch()
    key.chmod(0o644)
    code, _, err = await demo.run(how="end", DEMO_KEY=str(key))
    assert code == 0
    assert "secret_file.exposed" in err
    assert str(key) in err
    assert "0644" in err


async def test_certificates_and_proxies_of_the_settings_are_those_of_the_process(
    demo: Demo, tmp_path: Path
) -> None:
    files = Authority(tmp_path).issue()
    process = await demo.start(
        how="tls",
        WORKERPOOL_TLS_CERTIFICATE=str(files.certificate),
        WORKERPOOL_TLS_KEY=str(files.key),
        IEXEC_HTTP_PROXY_HOST="proxy.example",
        IEXEC_HTTP_PROXY_PORT="3128",
    )
    assert process.stdout is not None
    lines = [await asyncio.wait_for(process.stdout.readline(), PATIENCE_S) for _ in range(2)]
    assert lines == [b"up\n", b"True http://proxy.example:3128\n"]
    process.terminate()
    assert await asyncio.wait_for(process.wait(), PATIENCE_S) == 0


@pytest.mark.parametrize(
    ("environ", "problem"),
    [
        (
            {"WORKERPOOL_TLS_CERTIFICATE": "/none.pem", "WORKERPOOL_TLS_KEY": "/none.key"},
            "/none.pem cannot be read",
        ),
        ({"WORKERPOOL_TLS_CERTIFICATE": "/none.pem"}, "WORKERPOOL_TLS_KEY: set it together"),
        (
            {"WORKERPOOL_TLS_CLIENT_CA": "/none.pem"},
            "WORKERPOOL_TLS_CLIENT_CA: set WORKERPOOL_TLS_CERTIFICATE too",
        ),
    ],
)
async def test_unusable_certificates_end_the_start_in_words(
    demo: Demo, environ: dict[str, str], problem: str
) -> None:
    code, _, err = await demo.run(**environ)
    assert code == 2
    assert problem in err
    assert "Traceback" not in err
