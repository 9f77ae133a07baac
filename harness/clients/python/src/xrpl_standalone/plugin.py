"""The pytest plugin: a ledger for the whole run, the same at the start of each test that asks for it."""

from __future__ import annotations

import shlex
from typing import Iterator

import pytest

from . import Standalone


def pytest_addoption(parser: pytest.Parser) -> None:
    about = "Arguments for xrpl-standalone, as on its command line."
    parser.addini("xrpl_standalone_arguments", about, default="--close-on-submit")


@pytest.fixture(scope="session")
def xrpl_standalone(request: pytest.FixtureRequest) -> Iterator[Standalone]:
    """One ledger for all tests. What a test does to it, the next one finds."""
    arguments = shlex.split(request.config.getini("xrpl_standalone_arguments"))
    with Standalone(arguments) as ledger:
        yield ledger


@pytest.fixture
def xrpl_ledger(xrpl_standalone: Standalone) -> Iterator[Standalone]:
    """The ledger as it was at the start, for each test: put back afterwards, which costs nothing."""
    before = xrpl_standalone.snapshot()
    yield xrpl_standalone
    xrpl_standalone.restore(before)
