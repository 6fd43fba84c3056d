"""One browser for all tests that need one: the system's Chromium, started by pytest-playwright."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

CHROMIUM = Path("/usr/bin/chromium")


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Have pytest-playwright start the system's Chromium, which asks nothing of the world."""
    if not CHROMIUM.exists():
        pytest.skip("NO CHROMIUM: /usr/bin/chromium is missing; install it and the browser tests run")
    quiet = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
    return {
        **browser_type_launch_args,
        "executable_path": str(CHROMIUM),
        "args": [*quiet, "--disable-gpu", "--no-first-run", "--disable-quic"],
    }
