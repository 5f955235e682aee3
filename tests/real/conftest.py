"""Fixtures of the proofs against the real servers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.real.servers import Servers, running
from tests.real.sides import SIDES, Side


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """postfix, dovecot and nginx. Fails with what to install if they are not there."""
    with running() as made:
        yield made


@pytest.fixture(params=SIDES)
def side(request: pytest.FixtureRequest, servers: Servers) -> Iterator[Side]:
    """Our fakes, then the real servers: a test says what happens on both."""
    made = SIDES[request.param](servers)
    yield made
    made.close()
