"""The command that tells a monitoring system how this site does."""

from __future__ import annotations

from federation.cli.configuration import ConfigFile
from federation.cli.metrics import metrics_command
from sp_app.cli import keys
from sp_app.cli.site import unit_of_work


def gather(config: ConfigFile) -> bytes:
    """The numbers."""
    from federation import metrics
    from sp_app.services.metadata import HOST

    with keys.open_desk(config) as desk, unit_of_work(config) as session:
        return metrics.text(desk, session, HOST, {})


command = metrics_command(gather)
