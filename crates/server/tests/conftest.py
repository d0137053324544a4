"""What the tests of the page and those of the clients share: a service that runs."""

import pytest
from service import Service


@pytest.fixture(scope="session")
def service():
    with Service() as running:
        yield running
