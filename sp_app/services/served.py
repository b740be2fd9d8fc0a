"""For whom our chooser works: this service provider, and others of the group whose metadata an administrator put here.

A file is read again when it has changed. It is trusted because it lies on this machine where the settings say; all it
decides is to which address the chooser may take a person back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from federation.errors import ConfigurationError, Malformed
from federation.saml.metadata.entity import Entity
from federation.saml.metadata.reading import read_document


class Served:
    """The service providers that our discovery service knows."""

    def __init__(self, files: Sequence[Path]) -> None:
        """The others. Raises `ConfigurationError` for a file that is missing or holds no metadata."""
        self._files = tuple(files)
        self._read: dict[Path, tuple[int, tuple[Entity, ...]]] = {}
        for file in self._files:
            self._entities(file)

    def with_own(self, own: Entity, now: datetime) -> Mapping[str, Entity]:
        """Ourselves and those whose metadata is valid now, by entityID. Nobody's file speaks for ourselves."""
        others = {
            entity.entity_id: entity
            for file in self._files
            for entity in self._entities(file)
            if entity.sp is not None and (entity.valid_until is None or entity.valid_until > now)
        }
        return {**others, own.entity_id: own}

    def _entities(self, file: Path) -> tuple[Entity, ...]:
        try:
            changed = file.stat().st_mtime_ns
            known = self._read.get(file)
            if known is None or known[0] != changed:
                known = (changed, read_document(file.read_bytes()))
                self._read[file] = known
        except (OSError, Malformed) as error:
            if file in self._read:  # being replaced at this moment, or spoilt since: what was read stays
                return self._read[file][1]
            raise ConfigurationError(f"sp.discovery_for: {file} holds no metadata: {error}") from None
        return known[1]
