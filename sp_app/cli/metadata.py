"""Commands about sources and versions of identity providers' metadata."""

from __future__ import annotations

import getpass
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from federation.cli.configuration import ConfigFile
from federation.registry.commands import metadata_group
from sp_app.cli.site import now, provider_in

if TYPE_CHECKING:
    from federation.registry.desk import Desk


@contextmanager
def open_desk(config: ConfigFile) -> Iterator[Desk]:
    """The registry of this site, by the user of this machine."""
    from federation.registry.desk import Desk
    from federation.web.reference import new_reference
    from sp_app import database
    from sp_app.services import metadata

    provider = provider_in(config)
    database.require_current(provider.engine)
    limits = metadata.limits_of(provider.settings, provider.entity_id)
    actor = f"{getpass.getuser()} (command line)"
    try:
        yield Desk(metadata.HOST, provider.sessions, limits, now, actor, new_reference())
    finally:
        provider.engine.dispose()


def refresh_due(config: ConfigFile) -> Sequence[str]:
    """Refresh what is due in another process, and wait for it; a sentence for each source."""
    from federation.registry.work import ACTOR, run_elsewhere
    from sp_app.services import metadata

    with open_desk(config) as desk:
        if not desk.refresher().has_work():
            return ()
        url = desk.sessions.kw["bind"].url.render_as_string(hide_password=False)
        reports = run_elsewhere(metadata.HOST_NAME, database_url=url, limits=desk.limits, reference=desk.reference)
    return [f"{ACTOR}: {report.source}: {report.sentence}" for report in reports]


group = metadata_group(open_desk)
