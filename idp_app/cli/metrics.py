"""The command that tells a monitoring system how this site does."""

from __future__ import annotations

from federation.cli.configuration import ConfigFile
from federation.cli.metrics import metrics_command
from idp_app.cli.common import work


def gather(config: ConfigFile) -> bytes:
    """The numbers, and how many accounts wait for the worker."""
    from sqlalchemy import func, select

    from federation import metrics
    from idp_app.models import Change, Pending
    from idp_app.services import keys
    from idp_app.services.metadata import HOST

    with work(config) as (installation, session, act):
        more = {
            name: (what, session.scalar(select(func.count()).select_from(kind)) or 0)
            for name, what, kind in (
                ("federation_provisioning_changes", "Changes that no plan has taken in yet", Change),
                ("federation_provisioning_waiting", "Accounts that wait to be sent to a site", Pending),
            )
        }
        return metrics.text(keys.desk(installation, session, act), session, HOST, more)


COMMANDS = (metrics_command(gather),)
