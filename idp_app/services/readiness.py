"""Whether anything could be sent to a partner: found out when it is connected, not when the first person needs it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from federation.errors import ConfigurationError, PolicyRefusal
from federation.keys.ring import Keys
from federation.saml.algorithms import PRESETS, allowed
from federation.saml.metadata import outgoing
from federation.saml.metadata.entity import Entity, SPRole
from idp_app.options import Options
from idp_app.services.live import encryption_key

ENCRYPTION: Final = "algorithms.encryption"


@dataclass(frozen=True, slots=True)
class Readiness:
    """Our side of it: the keys that sign, and the algorithms that this site bans."""

    keys: Keys
    banned: frozenset[str]

    def require(self, entity: Entity, options: Options) -> None:
        """Raise `PolicyRefusal` when the partner leaves us no algorithm or key, with the presets that would help."""
        if options.key and options.key not in self.keys.signing_keys:
            raise ConfigurationError(f"the option key names a signing key in our metadata; there is no {options.key!r}")
        if entity.sp is None:
            return
        refusal = self._refusal(entity.sp, options.presets, options)
        if refusal is None:
            return
        more = [name for name in PRESETS if self._refusal(entity.sp, (*options.presets, name), options) is None]
        help_ = f". The preset {' or '.join(more)} would allow it" if more else ""
        raise PolicyRefusal(refusal.rule, f"{refusal.reason}{help_}")

    def _refusal(self, sp: SPRole, presets: tuple[str, ...], options: Options) -> PolicyRefusal | None:
        algorithms = allowed(presets, self.banned)
        try:
            outgoing.signing_key(self.keys.signer(options.key), sp, algorithms)
        except PolicyRefusal as refusal:
            return refusal
        changed = options.changed(presets, ())
        if sp.encryption_keys and changed.encrypted_parts and encryption_key(sp, changed, algorithms) is None:
            listed = [method.algorithm for key in sp.encryption_keys for method in key.encryption_methods]
            lists = ", ".join(dict.fromkeys(listed)) or "none"
            return PolicyRefusal(
                ENCRYPTION,
                f"nothing can be encrypted for this partner: no RSA key of 2048 bits fits, or it lists {lists}",
            )
        return None
