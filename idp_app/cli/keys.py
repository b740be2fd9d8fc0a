"""Commands on this site's own keys."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from federation.cli.configuration import ConfigFile
from federation.keys.commands import keys_group
from idp_app.cli.common import work

if TYPE_CHECKING:
    from federation.keys.desk import Desk


@contextmanager
def open_desk(config: ConfigFile) -> Iterator[Desk]:
    """The ring of this site, in one transaction, by the user of this machine."""
    from idp_app.services import keys

    with work(config) as (installation, session, act):
        yield keys.desk(installation, session, act)


COMMANDS = (keys_group(open_desk, canaries=True),)
