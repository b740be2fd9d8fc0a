"""What the commands show of sources and versions."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from federation.registry.columns import SourceColumns, VersionColumns


def source_facts(source: SourceColumns, now: datetime) -> dict[str, Any]:
    """A source for JSON and for people."""
    from federation.registry import sources

    return {
        "name": source.name,
        "kind": source.kind,
        "location": source.location,
        "entity_id": source.entity_id,
        "health": sources.health(source, now),
        "error": source.error,
        "progress": source.progress,
        "entities": source.entities,
        "trust": sources.ground_of(source),
        "signer_fingerprints": source.signer_fingerprints,
        "precedence": source.precedence,
        "widening": source.widening,
        "selection": source.selection,
        "exceptions": source.exceptions,
        "max_validity_days": source.max_validity // 86400,
        "valid_until": source.valid_until,
        "last_try": source.last_try,
        "last_success": source.last_success,
        "failures": source.failures,
        "due": source.due,
        "added": f"{instant(source.created)} by {source.created_by}",
    }


def version_facts(version: VersionColumns) -> dict[str, Any]:
    """A version for JSON and for people."""
    return {
        "id": version.id,
        "entity_id": version.entity_id,
        "number": version.number,
        "state": version.state,
        "trust": version.trust,
        "origin": version.origin,
        "why": version.why,
        "added": version.added,
        "added_by": version.added_by,
        "decided": version.decided,
        "decided_by": version.decided_by,
        "due": version.due,
        "valid_until": version.valid_until,
        "changes": version.changes,
        "misses": version.misses,
    }


def show_version(version: dict[str, Any]) -> None:
    """A version in words: what it changes, what it lacks."""
    for key in ("entity_id", "number", "state", "origin", "trust", "added", "valid_until", "due", "why"):
        click.echo(f"{key.replace('_', ' ')}: {text_of(version[key])}")
    for fingerprint, use in version.get("to_confirm", {}).items():
        click.echo(f"to confirm: {use:<18} {fingerprint}")
    click.echo("What it changes:")
    for change in version["changes"]:
        click.echo(f"  {change['effect']:<8} {change['sentence']} [{change['kind']}]")
    click.echo("What it lacks:" if version["misses"] else "It lacks nothing.")
    for miss in version["misses"]:
        click.echo(f"  {miss['level']:<8} {miss['message']} [{miss['rule']}]")


def instant(value: datetime | None) -> str:
    """To the minute, in UTC."""
    return "never" if value is None else f"{value.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def text_of(value: Any) -> str:
    """Any fact as text."""
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, dict):
        return "; ".join(f"{key}: {', '.join(each)}" for key, each in value.items()) or "none"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "none" if value is None else str(value)
