"""Renew the picture in the README: a screenshot of the report that `abasto demo` wrote, in the system's Chromium.

usage: uv run abasto demo && uv run scripts/screenshot.py [REPORT.html]
"""

from __future__ import annotations

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "docs" / "images" / "report.png"
CHROMIUM = Path("/usr/bin/chromium")
WIDTH, HEIGHT = 1280, 900
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
"""A browser that starts as root and looks for nothing outside; only our own page is opened in it."""


def screenshot(report: Path, picture: Path) -> None:
    """Write the maps of an HTML report as a PNG picture."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=QUIET)
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
        page.goto(report.resolve().as_uri())
        page.wait_for_load_state("load")
        picture.parent.mkdir(parents=True, exist_ok=True)
        maps = page.locator("#map").bounding_box()
        if maps is None:
            raise SystemExit(f"{report} has no section #map; is it a report?")
        page.screenshot(path=str(picture), full_page=True, clip={**maps, "x": 0, "width": WIDTH})
        browser.close()


def main() -> int:
    """Take the picture and say where it is."""
    report = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "abasto-demo" / "report.html"
    for needed, remedy in ((CHROMIUM, "install Chromium"), (report, "write it with: uv run abasto demo")):
        if not needed.exists():
            print(f"{needed} is not there; {remedy}.", file=sys.stderr)
            return 1
    screenshot(report, PICTURE)
    print(f"{PICTURE.relative_to(ROOT)}: {PICTURE.stat().st_size / 1024:.0f} kB")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
