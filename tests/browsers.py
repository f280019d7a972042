"""A real browser on the published site, served from the loopback."""

from __future__ import annotations

import functools
import http.server
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")


class Browser:
    """A browser on the served site; it keeps what the console said and which requests left the site."""

    def __init__(self, chromium: Any, address: str) -> None:
        self.chromium = chromium
        self.address = address
        self.complaints: list[str] = []

    def page(self, name: str, *, width: int = 1280, height: int = 900, dark: bool = False, script: bool = True) -> Any:
        context = self.chromium.new_context(
            viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light", java_script_enabled=script
        )
        context.set_default_timeout(20_000)
        page = context.new_page()
        page.on("console", lambda m: self.complaints.append(f"console: {m.text}") if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda e: self.complaints.append(f"error: {e}"))
        page.on("request", lambda r: None if r.url.startswith((self.address, "data:")) else self.complaints.append(f"request: {r.url}"))
        page.on("response", lambda r: self.complaints.append(f"{r.status}: {r.url}") if r.status >= 400 else None)
        path, mark, rest = name.partition("#") if "#" in name else name.partition("?")
        page.goto(f"{self.address}{path}.html{mark}{rest}")
        return page


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def served(handler: Any) -> Iterator[str]:
    """A web server of files on a free port of the loopback; its address."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


@contextmanager
def opened(site: Path) -> Iterator[Browser]:
    """Chromium, and the site served two folders below the root of the server."""
    from playwright.sync_api import sync_playwright

    found = os.environ.get("CHROMIUM") or next((w for w in map(shutil.which, BROWSERS) if w), None)
    with sync_playwright() as playwright, served(functools.partial(Quiet, directory=str(site.parent.parent))) as address:
        chromium = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield Browser(chromium, f"{address}/some/base/")
        chromium.close()


def violations(page: Any) -> list[str]:
    from axe_playwright_python.sync_playwright import Axe

    return [f"{v['id']}: {v['nodes'][0]['html'][:120]}" for v in Axe().run(page).response["violations"]]
