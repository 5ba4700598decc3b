"""JupyterLab and a browser, started for a test and stopped after it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.nbgrader_course.classroom import Classroom

CHROMIUM = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SETTINGS = {
    # Every cell is in the page, also those that are out of sight.
    "notebook-extension/tracker": '{"windowingMode": "none"}',
    # No question about news over the page, and nothing asked of the network.
    "apputils-extension/notification": '{"fetchNews": "false", "checkForUpdates": false}',
}


@contextmanager
def jupyter_lab(room: Classroom, folder: Path, program: str = "jupyterlab") -> Iterator[str]:
    """JupyterLab, or ``notebook``, in ``folder``; gives its address."""
    settings = room.home / "settings"
    for name, text in SETTINGS.items():
        file = settings / "@jupyterlab" / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    arguments = [
        *("--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1"),
        *(f"--port={port}", "--ServerApp.port_retries=0", "--IdentityProvider.token="),
        f"--notebook-dir={folder}",
    ]
    own = {"JUPYTERLAB_SETTINGS_DIR": str(settings)}
    log = room.home / "lab.log"
    with open(log, "w") as stream:
        server = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", program, *arguments],
            cwd=folder,
            env=room.environment | own,
            stdout=stream,
            stderr=stream,
        )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(f"{address}/api/status", server, log)
        yield address
    finally:
        server.terminate()
        server.wait(30)


def _wait_for(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 120
    while time.monotonic() < end and server.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except OSError:
            time.sleep(0.3)
    raise RuntimeError(f"JupyterLab did not start: {log.read_text()[-2000:]}")


@contextmanager
def browser_page() -> Iterator[tuple[Any, list[str]]]:
    """A page of Debian's chromium, and what it complains about in its console."""
    from playwright.sync_api import sync_playwright

    names = ("chromium", "chromium-browser", "google-chrome")
    program = next(filter(None, map(shutil.which, names)), None)
    if program is None:
        pytest.skip("no chromium here; on Debian: sudo apt-get install chromium")
    complaints: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(CHROMIUM))
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        page.set_default_timeout(60_000)
        page.asked_elsewhere = []
        page.route(lambda url: not url.startswith("http://127.0.0.1"), _no_network(page))
        page.on("console", lambda m: m.type == "error" and complaints.append(m.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        try:
            yield page, complaints
        finally:
            browser.close()


def picture(page: Any, name: str, of: Any = None) -> None:
    """Kept where ``CSNN_SCREENSHOTS`` says, for whoever wants to look.

    Args:
        of: what should be in the middle of it.
    """
    folder = os.environ.get("CSNN_SCREENSHOTS")
    if folder:
        page.wait_for_timeout(700)  # dialogs fade in, pages scroll smoothly
        if of is not None:
            of.evaluate("element => element.scrollIntoView({block: 'center', behavior: 'instant'})")
        page.screenshot(path=Path(folder) / f"{name}.png")


def _no_network(page: Any) -> Callable[[Any], None]:
    """Tests stay at home, and know what a page would have fetched from elsewhere."""
    stub = "const any = new Proxy(() => any, {get: () => any}); window.MathJax = any;"

    def answer(route: Any) -> None:
        page.asked_elsewhere.append(route.request.url)
        route.fulfill(content_type="text/javascript", body=stub)

    return answer


class Notebook:
    """A notebook open in JupyterLab, as a student handles it."""

    address = "lab/tree"
    idle_sign = "text=Python 3 (ipykernel) | Idle"

    def __init__(self, page: Any, server: str, name: str) -> None:
        self.page = page
        page.goto(f"{server}/{self.address}/{name}?reset")  # of the workspace: no other tabs
        self.idle()

    def idle(self) -> None:
        """Wait until the kernel is there and does nothing; what is pressed before is lost."""
        self.page.locator(self.idle_sign).wait_for()

    def validate(self) -> Any:
        """Press nbgrader's button; gives what its dialog says."""
        self.page.get_by_text("Validate", exact=True).locator("visible=true").click()
        dialog = self.page.locator(".jp-Dialog-content", has_text="Validation Results")
        dialog.wait_for()
        return dialog

    def cell(self, text: str) -> Any:
        return self.page.locator(".jp-CodeCell", has_text=text).first

    def write(self, cell: Any, text: str) -> None:
        cell.locator(".cm-content").click()
        self.page.keyboard.press("Control+a")
        self.page.keyboard.insert_text(text)

    def run(self, cell: Any) -> Any:
        """Run a cell, wait for it, and give its output."""
        prompt = cell.locator(".jp-InputPrompt")
        before = prompt.inner_text()
        for _ in range(5):
            cell.locator(".cm-content").click()
            self.page.keyboard.press("Control+Enter")
            if self._ends(prompt, before):
                break
        self.idle()
        return cell.locator(".jp-OutputArea")

    def _ends(self, prompt: Any, before: str) -> bool:
        """Whether a cell ran to its end; a key pressed too early is not heard."""
        heard = time.monotonic() + 10
        while prompt.inner_text() == before:
            if time.monotonic() > heard:
                return False
            self.page.wait_for_timeout(100)
        while "*" in prompt.inner_text():
            self.page.wait_for_timeout(100)
        return True

    def add_below(self, cell: Any) -> Any:
        cell.locator(".cm-content").click()
        self.page.keyboard.press("Escape")
        self.page.keyboard.press("b")
        return self.page.locator(".jp-CodeCell.jp-mod-active")


class Notebook7(Notebook):
    """The same in Jupyter Notebook 7."""

    address = "notebooks"
    idle_sign = ".jp-Notebook-ExecutionIndicator[data-status=idle]"
