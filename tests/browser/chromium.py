"""Debian's Chromium without a window, driven over its DevTools protocol."""

import asyncio
import base64
import itertools
import json
import os
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from patience import PATIENCE_S
from websockets.asyncio.client import ClientConnection, connect

from browser import axe

EXECUTABLE = "chromium-headless-shell"
WIDTH, HEIGHT = 1280, 800
_KEYS = {"Tab": (9, ""), "Enter": (13, "\r"), "Space": (32, " "), "End": (35, "")}
"""The code and the text of keys with a name."""


class ScriptFailed(AssertionError):
    """A script that a test ran inside of a page failed."""


def problem() -> str:
    """Return why no browser can be started; empty when one can."""
    if shutil.which(EXECUTABLE) is None:
        return "NO BROWSER: run tools/install_browser.sh; the tests in a browser did not run"
    return ""


@dataclass
class Page:
    """One tab. `troubles` are errors that its console shows, refusals of its policy among them."""

    socket: ClientConnection
    session: str
    numbers: Any = field(default_factory=lambda: itertools.count(1))
    answers: dict[int, asyncio.Future[Any]] = field(default_factory=dict)
    loaded: asyncio.Event = field(default_factory=asyncio.Event)
    requested: list[str] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)

    async def listen(self) -> None:
        """Take messages of the browser until its connection ends."""
        async for message in self.socket:
            self._take(json.loads(message))

    def _take(self, message: dict[str, Any]) -> None:
        if "id" in message:
            self.answers.pop(message["id"]).set_result(message)
            return
        told = message.get("params", {})
        match message["method"]:
            case "Page.loadEventFired":
                self.loaded.set()
            case "Network.requestWillBeSent":
                self.requested.append(told["request"]["url"])
            case "Runtime.exceptionThrown":
                self.troubles.append(str(told["exceptionDetails"].get("exception", told["exceptionDetails"])))
            case "Log.entryAdded" if told["entry"]["level"] == "error":
                self.troubles.append(f"{told['entry']['text']} ({told['entry'].get('url', '')})")

    async def call(self, method: str, **parameters: Any) -> Any:
        """Call a method of the DevTools protocol; return its result."""
        number = next(self.numbers)
        self.answers[number] = asyncio.get_running_loop().create_future()
        sent = {"id": number, "method": method, "params": parameters}
        if self.session:
            sent["sessionId"] = self.session
        answered = self.answers[number]
        await self.socket.send(json.dumps(sent))
        answer = await asyncio.wait_for(answered, PATIENCE_S)
        assert "error" not in answer, (method, answer["error"])
        return answer["result"]

    # --- what a reader does -------------------------------------------------------------------

    async def open(self, url: str) -> None:
        """Open a page, and wait until it is complete."""
        self.loaded.clear()
        await self.call("Page.navigate", url=url)
        await self._complete()

    async def click(self, selector: str, *, leads_on: bool = False) -> None:
        """Click into the middle of an element; wait for the page that it leads to, if any."""
        place = await self.run(
            f"""(() => {{
                const found = document.querySelector({json.dumps(selector)});
                found.scrollIntoView({{block: "center", behavior: "instant"}});
                const box = found.getClientRects()[0];
                return {{x: box.x + Math.min(box.width / 2, 40), y: box.y + box.height / 2}};
            }})()"""
        )
        self.loaded.clear()
        for kind in ("mousePressed", "mouseReleased"):
            await self.call("Input.dispatchMouseEvent", type=kind, **place, button="left", clickCount=1)
        if leads_on:
            await self._complete()

    async def press(self, key: str, *, leads_on: bool = False) -> None:
        """Press a key with a name; wait for the page that it leads to, if any."""
        code, text = _KEYS[key]
        self.loaded.clear()
        event = {"key": text if key == "Space" else key, "code": key, "windowsVirtualKeyCode": code}
        await self.call("Input.dispatchKeyEvent", type="keyDown", **event, text=text)
        await self.call("Input.dispatchKeyEvent", type="keyUp", **event)
        if leads_on:
            await self._complete()

    async def write(self, text: str) -> None:
        """Write into the element that has the focus."""
        await self.call("Input.insertText", text=text)

    async def _complete(self) -> None:
        try:
            await asyncio.wait_for(self.loaded.wait(), PATIENCE_S)
        except TimeoutError:
            at = await self.run("`${location.href} ${document.readyState}`")
            raise AssertionError(f"no page was opened; still at {at}, asked {self.requested[-3:]}") from None

    # --- what a test sees ---------------------------------------------------------------------

    async def run(self, script: str) -> Any:
        """Return the value of an expression inside of the page. Raises ScriptFailed."""
        found = await self.call(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True, userGesture=True
        )
        if "exceptionDetails" in found:
            raise ScriptFailed(json.dumps(found["exceptionDetails"], indent=1)[:2_000])
        return found["result"].get("value")

    async def text(self, selector: str) -> str:
        """Return the visible text of an element with single blanks, empty when there is none."""
        found = await self.run(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''")
        return " ".join(str(found).split())

    async def until(self, condition: str) -> None:
        """Wait until an expression inside of the page is true."""
        async with asyncio.timeout(PATIENCE_S):
            while not await self.run(condition):
                await asyncio.sleep(0.05)

    async def focused(self) -> str:
        """Return what a screen reader would call the element with the focus."""
        return str(
            await self.run(
                """(() => {
                    const at = document.activeElement;
                    return (at.labels?.[0]?.innerText ?? at.getAttribute("aria-label") ?? at.innerText).trim();
                })()"""
            )
        )

    async def prefer(self, scheme: str) -> None:
        """Prefer `light` or `dark` pages."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        await self.call("Emulation.setEmulatedMedia", features=features)

    async def resize(self, width: int, height: int) -> None:
        """Give the page a window of this size."""
        await self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )

    async def screenshot(self, path: Path) -> None:
        """Keep what is visible as a PNG file."""
        shot = await self.call("Page.captureScreenshot", format="png", optimizeForSpeed=False)
        path.write_bytes(base64.b64decode(shot["data"]))

    async def barriers(self) -> list[str]:
        """Return what axe-core finds that keeps some people from using the page."""
        await self.run(axe.source())
        found = await self.run("axe.run(document, {resultTypes: ['violations']}).then((r) => r.violations)")
        return [
            f"{each['id']}: {each['help']}: {[node['html'][:200] for node in each['nodes'][:3]]}"
            for each in found
        ]


@asynccontextmanager
async def chromium(folder: Path) -> AsyncIterator[Page]:
    """Run a browser with its files in a folder; give one tab of it."""
    # Root may not use Chromium's sandbox; the pages are our own.
    options = ["--no-sandbox", "--remote-debugging-port=0", f"--user-data-dir={folder}", "--disable-gpu"]
    quiet = ["--no-first-run", "--disable-background-networking", "--disable-sync", "--hide-scrollbars"]
    process = await asyncio.create_subprocess_exec(
        EXECUTABLE,
        *options,
        *quiet,
        f"--window-size={WIDTH},{HEIGHT}",
        "about:blank",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        async with connect(await _address(folder, process), max_size=None) as socket:
            page = Page(socket, "")
            listening = asyncio.create_task(page.listen())
            try:
                target = await page.call("Target.createTarget", url="about:blank")
                attached = await page.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
                page.session = attached["sessionId"]
                for domain in ("Page", "Runtime", "Network", "Log"):
                    await page.call(f"{domain}.enable")
                await page.resize(WIDTH, HEIGHT)
                yield page
            finally:
                listening.cancel()
    finally:
        # Debian's program is a shell script, which does not pass a signal on to the browser and its children.
        os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


async def _address(folder: Path, process: asyncio.subprocess.Process) -> str:
    """Wait until the browser listens; return the address of its protocol."""
    told = folder / "DevToolsActivePort"
    async with asyncio.timeout(PATIENCE_S):
        while not (told.exists() and len(lines := told.read_text().splitlines()) == 2):
            assert process.returncode is None, f"{EXECUTABLE} ended with exit code {process.returncode}"
            await asyncio.sleep(0.02)
    return f"ws://127.0.0.1:{lines[0]}{lines[1]}"
