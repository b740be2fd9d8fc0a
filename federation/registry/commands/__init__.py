"""The commands on sources and versions of metadata, the same for both apps: `federation idp|sp metadata …`.

An app gives a way to open its `Desk`, and what it alone has to say of a federation's entities. Nothing heavy is
imported before a command runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from federation.registry.commands import reviews, sources
from federation.registry.commands.sources import Defaults, Opener


def metadata_group(open_desk: Opener, *, options: Sequence[Any] = (), defaults: Defaults | None = None) -> click.Group:
    """The group. `options` are the app's own of `add-source`, and `defaults` makes of them what the source keeps."""

    @click.group()
    def metadata() -> None:
        """Where partners' metadata comes from, its refresh, its review, and the way back."""

    for command in (
        sources.add_source_command(open_desk, options, defaults),
        sources.sources_command(open_desk),
        sources.remove_source_command(open_desk),
        sources.switch_source_command(open_desk, "pause-source", on=False),
        sources.switch_source_command(open_desk, "resume-source", on=True),
        sources.refresh_command(open_desk),
        sources.entities_command(open_desk),
        reviews.reviews_command(open_desk),
        reviews.versions_command(open_desk),
        reviews.bring_command(open_desk),
        reviews.confirm_command(open_desk),
        reviews.accept_command(open_desk),
        reviews.reject_command(open_desk),
        reviews.schedule_command(open_desk),
        reviews.roll_back_command(open_desk),
    ):
        metadata.add_command(command)
    return metadata
