"""How `federation metadata` shows what it found: for people, and as JSON."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from federation.cli.output import table
from federation.saml.times import format_instant

if TYPE_CHECKING:
    from federation.saml.metadata.difference import Change
    from federation.saml.metadata.findings import Finding
    from federation.saml.metadata.judgement import Judgement

SHOWN = 40
"""Entities listed one by one; of more only the number is said."""


def judgement_json(result: Judgement) -> dict[str, object]:
    return {
        "accepted": result.accepted,
        "entities": [
            {
                "entity_id": each.entity_id,
                "roles": list(each.roles),
                "valid_until": None if each.valid_until is None else format_instant(each.valid_until),
            }
            for each in result.entities
        ],
        "error": None if result.error is None else result.error.message,
        "findings": [_finding_json(each) for each in result.findings],
    }


def _finding_json(finding: Finding) -> dict[str, str]:
    return {
        "rule": finding.rule,
        "level": finding.level.value,
        "message": finding.message,
        "reference": finding.reference,
        "place": finding.place,
    }


def change_json(entity_id: str, change: Change) -> dict[str, str]:
    return {
        "entity_id": entity_id,
        "kind": change.kind,
        "effect": change.effect.value,
        "sentence": change.sentence,
        "role": change.role,
        "old": change.old,
        "new": change.new,
    }


def print_judgement(result: Judgement) -> None:
    if result.error is not None:
        click.echo(f"Refused: {result.error.message}")
    elif len(result.entities) > SHOWN:
        click.echo(f"Accepted: {len(result.entities)} entities.")
    else:
        click.echo("Accepted.\n")
        until = [None if each.valid_until is None else format_instant(each.valid_until) for each in result.entities]
        rows = [
            (each.entity_id, " ".join(each.roles), limit or "no limit")
            for each, limit in zip(result.entities, until, strict=True)
        ]
        table(("entity", "roles", "valid until"), rows)
    for first, count in _grouped(result.findings):
        more = f" (and {count - 1} more of this kind)" if count > 1 else ""
        click.echo(
            f"\n{first.level}  {first.rule}  ({first.reference or 'form'})\n  {first.place}: {first.message}{more}"
        )


def _grouped(findings: Iterable[Finding]) -> list[tuple[Finding, int]]:
    """The first finding of each rule and how many there are, the worst first."""
    found: dict[str, list[Finding]] = {}
    for each in findings:
        found.setdefault(each.rule, []).append(each)
    worst = ("error", "warning", "info")
    return sorted(((each[0], len(each)) for each in found.values()), key=lambda pair: worst.index(pair[0].level))
