"""Renew the picture of the room in the README: the situation of the national example in its lockout.

usage: uv run scripts/room_screenshot.py
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

import abasto
from abasto.cli import main as abasto_command

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "docs" / "images" / "room.png"
CHROMIUM = Path("/usr/bin/chromium")
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
DAY = "2027-03-04"
"""The lockout of the example is in full by then."""
WIDTH, HEIGHT = 1280, 900
MOST_SECONDS = 300


def plan(page: Page) -> None:
    """Have the room plan for the lockout, as its page Plan would, and wait until it is there."""
    headers = json.loads(page.locator("body").get_attribute("hx-headers") or "{}")
    started = page.request.post("/api/plan", headers=headers, data={"scenario": "lockout"})
    assert started.ok, started.text()
    until = time.monotonic() + MOST_SECONDS
    while page.request.get("/api/plan").json()["outcome"] == "running":
        assert time.monotonic() < until, "the plan takes too long"
        time.sleep(1)


def screenshot(url: str, code: str, picture: Path) -> None:
    """Enter a room, plan, and write what its first page shows as a PNG picture."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=QUIET)
        size = {"width": WIDTH, "height": HEIGHT}
        page = browser.new_page(base_url=url, viewport=size, color_scheme="light", locale="en")
        page.goto(f"{url}/enter?code={code}")
        page.get_by_role("button", name="Enter").click()
        page.locator("#map").wait_for()
        plan(page)
        page.goto(url)
        page.wait_for_function("document.getElementById('map').dataset.sites > 0")
        page.wait_for_function("document.getElementById('live').textContent.includes('●')")
        page.screenshot(path=str(picture))
        browser.close()


def main() -> int:
    """Take the picture and say where it is."""
    if not CHROMIUM.exists():
        print(f"{CHROMIUM} is not there; install Chromium.", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        network = str(abasto.example_path("national"))
        assert abasto_command(["init", str(home), "--from", network, "--clear", "--date", "2027-03-01"]) == 0
        command = [sys.executable, "-m", "abasto", "serve", "--home", str(home), "--port", "0", "--date", DAY]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as room:
            try:
                assert room.stdout is not None
                found = re.search(r"(https?://\S+)/enter\?code=(\S+)", room.stdout.readline())
                assert found is not None
                screenshot(found[1], found[2], PICTURE)
            finally:
                room.terminate()
    print(f"{PICTURE.relative_to(ROOT)}: {PICTURE.stat().st_size / 1024:.0f} kB")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
