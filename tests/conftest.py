"""What all tests share: the system's Chromium, and patience, since no test tells how fast the machine is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from playwright.sync_api import expect

CHROMIUM = Path("/usr/bin/chromium")

# Whatever is waited for comes at once, or late on a machine that is busy; only what never comes takes this long.
expect.set_options(timeout=60_000)

# The same examples each time: one that is new and fails should be met by whoever looks for it, with
# `--hypothesis-profile=default`, and not by a change that has nothing to do with it.
settings.register_profile("abasto", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("abasto")


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
