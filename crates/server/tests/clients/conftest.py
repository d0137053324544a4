"""Clients that people have, pointed at a service; what they get must be what the command says, bit for bit."""

import pytest
from expected import Command


@pytest.fixture(scope="session")
def command():
    return Command()
