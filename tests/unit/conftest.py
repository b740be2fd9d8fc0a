"""Unit tests reach nothing outside their process: a socket that one of them opens is an error."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _sockets_are_closed(socket_disabled: None) -> None:
    """Close the network for each unit test (pytest-socket)."""
