"""How long a browser on a slow machine waits for the room of the national example, and what goes over the wire.

    uv run python -m benchmarks.room [--runs 5] [--slower 4]

Chromium's processor is slowed through its own debugging protocol. Ready means that the map is drawn, the figures stand
there, and the page hears what happens. Each run has an empty cache. Prints JSON; `docs/benchmarks.md` has a run of it.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Browser, sync_playwright

import abasto
from abasto.cli import main as abasto_command

CHROMIUM = Path("/usr/bin/chromium")
QUIET = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-quic", "--disable-background-networking"]
DAY = "2027-03-01"
READY = "#map canvas, #map svg"


def measure(*, runs: int, slower: float) -> dict[str, Any]:
    """Open the room's first page anew so many times, with a plan made, and return what it took."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        network = abasto.example_path("national")
        assert abasto_command(["init", str(home), "--from", str(network), "--clear", "--date", DAY]) == 0
        command = [sys.executable, "-m", "abasto", "serve", "--home", str(home), "--port", "0", "--date", DAY]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as room:
            try:
                return _measured(room, runs=runs, slower=slower)
            finally:
                room.terminate()


def _measured(room: subprocess.Popen[str], *, runs: int, slower: float) -> dict[str, Any]:
    assert room.stdout is not None
    found = re.search(r"(https?://\S+)/enter\?code=(\S+)", room.stdout.readline())
    assert found is not None
    url, code = found[1], found[2]
    desk = httpx.Client(base_url=url, timeout=120)
    assert desk.post("/enter", data={"code": code}).status_code == 303
    sign = re.search(r'"X-CSRF": "([^"]+)"', desk.get("/").text)
    assert sign is not None
    assert desk.post("/api/plan", json={}, headers={"X-CSRF": sign[1]}).status_code == 200
    while desk.get("/api/plan").json()["outcome"] == "running":
        time.sleep(0.5)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=QUIET)
        times = [_open(browser, url, desk.cookies["abasto"], slower) for _ in range(runs)]
        browser.close()
    return {
        "slower": slower,
        "seconds": [round(one["seconds"], 2) for one in times],
        "median_seconds": round(statistics.median(one["seconds"] for one in times), 2),
        "kilobytes_on_the_wire": round(max(one["bytes"] for one in times) / 1000, 1),
        "requests": times[-1]["requests"],
    }


def _open(browser: Browser, url: str, token: str, slower: float) -> dict[str, float]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.add_cookies([{"name": "abasto", "value": token, "url": url}])
    page = context.new_page()
    protocol = context.new_cdp_session(page)
    protocol.send("Network.enable")
    protocol.send("Emulation.setCPUThrottlingRate", {"rate": slower})
    sizes: list[float] = []
    protocol.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    begin = time.perf_counter()
    page.goto(url, wait_until="commit")
    page.wait_for_selector(READY, state="attached")
    page.wait_for_function("document.getElementById('live').textContent.includes('●')")
    page.wait_for_function("document.readyState === 'complete'")
    seconds = time.perf_counter() - begin
    context.close()
    return {"seconds": seconds, "bytes": sum(sizes), "requests": len(sizes)}


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.room", description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--slower", type=float, default=4.0)
    given = parser.parse_args()
    print(json.dumps(measure(runs=given.runs, slower=given.slower), indent=1))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
