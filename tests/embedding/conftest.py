"""The library, set up as docs/how-to/embed.md says, and connected to a fake identity provider."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from federation.saml.metadata.reading import read_document
from federation.storage import engine as engines
from federation.web.scope import scope_of
from sp_app import database
from sp_app.provider import provider_of
from sp_app.services import scim_tokens, switch
from tests.embedding import library, visits
from tests.embedding.library import Base
from tests.embedding.running import Library, library_settings
from tests.sp_factories import NOW, Clock, FakeIdP, connect, write_keys


@pytest.fixture
def the_library(tmp_path: Path) -> Iterator[Library]:
    """As new, with a database of its own."""
    settings = library_settings(tmp_path)
    write_keys(tmp_path / "keys")
    engine = engines.create(settings["library.database"])
    assert visits.Visit.metadata is Base.metadata
    Base.metadata.create_all(engine)
    database.upgrade(engine)
    app = library.main({}, **settings)
    clock = Clock()
    scope_of(app.registry).clock = clock
    idp = FakeIdP(clock)
    provider = provider_of(app.registry)
    with Session(engine) as session, session.begin():
        switch.turn(session, on=True, now=NOW)
        connection = connect(session, idp, provider.entity_id)
        token = scim_tokens.create(session, connection, name="push", now=NOW)
    idp.partner = read_document(provider.metadata(NOW))[0]
    yield Library(app=app, clock=clock, idp=idp, token=token, settings=settings)
    engine.dispose()
    provider.engine.dispose()
