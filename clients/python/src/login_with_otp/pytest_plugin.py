"""For pytest: the fixture `otp` is a local stack for the whole run, or for each worker of a parallel one."""

from collections.abc import Iterator
from typing import Any

import pytest

from .testing import Stack, start


@pytest.fixture(scope="session")
def otp_settings() -> dict[str, Any]:
    """Override it to set settings."""
    return {}


@pytest.fixture(scope="session")
def otp(otp_settings: dict[str, Any]) -> Iterator[Stack]:
    stack = start(otp_settings)
    yield stack
    stack.stop()
