"""Commands on this site's own keys."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from federation.cli.configuration import ConfigFile
from federation.keys.commands import keys_group
from sp_app.cli.site import now, provider_in

if TYPE_CHECKING:
    from federation.keys.desk import Desk


@contextmanager
def open_desk(config: ConfigFile) -> Iterator[Desk]:
    """The ring of this site, in one transaction, by the user of this machine."""
    from federation.storage.session import unit_of_work
    from federation.web.reference import new_reference
    from sp_app import database
    from sp_app.services import keys

    provider = provider_in(config)
    try:
        database.require_current(provider.engine)
        with unit_of_work(provider.sessions) as session:
            yield keys.desk(provider, session, now(), new_reference(), f"{getpass.getuser()} (command line)")
    finally:
        provider.engine.dispose()


def look_after(config: ConfigFile, *, warn: bool) -> list[str]:
    """Promote what is due, and with `warn` say what is to be done about keys."""
    with open_desk(config) as desk:
        said = [f"The key {name} is in use." for name in desk.advance()]
        if warn:
            said += [f"{each.level.name.lower()}: {each.sentence}" for each in desk.status().findings]
    return said


group = keys_group(open_desk)
