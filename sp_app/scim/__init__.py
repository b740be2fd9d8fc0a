"""SCIM 2.0 under /scim/v2."""

from __future__ import annotations

from pyramid.config import Configurator


def includeme(config: Configurator) -> None:
    """Routes and views of the SCIM server."""
