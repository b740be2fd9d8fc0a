"""How a sign-in is wanted: where it ends, and what the identity provider is asked. A link may say it.

The parameters are those of the Service Provider Request Initiation Protocol (REQINIT 2.3), named as other software
names them too. None of them can weaken a check: what was asked for is remembered here and held against what comes back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from federation.errors import Malformed
from federation.saml.metadata.locations import is_entity_id

MAX_CLASSES: Final = 50
_BOOLEANS: Final = {"true": True, "1": True, "false": False, "0": False, "": False}


@dataclass(frozen=True, slots=True)
class Wish:
    """What a sign-in is to be like.

    `target` is a safe path of this site. `force_authn`: the person signs in anew. `is_passive`: nobody is asked
    anything. `class_refs`: one of these authentication contexts, exactly; none means any.
    """

    target: str
    force_authn: bool = False
    is_passive: bool = False
    class_refs: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """What is stored."""
        return {
            "target": self.target,
            "force_authn": self.force_authn,
            "is_passive": self.is_passive,
            "class_refs": list(self.class_refs),
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Wish:
        """What was stored."""
        return cls(**{**stored, "class_refs": tuple(stored["class_refs"])})


def read(parameters: Mapping[str, Sequence[str]], *, target: str) -> Wish:
    """Read the options of a link; those that nobody defined are ignored. Raises `Malformed` (rule `login.link`)."""
    class_refs = tuple(
        dict.fromkeys(uri for text in parameters.get("authnContextClassRef", ()) for uri in text.split())
    )
    if len(class_refs) > MAX_CLASSES or not all(map(is_entity_id, class_refs)):
        raise Malformed("login.link", f"authnContextClassRef is not one to {MAX_CLASSES} absolute URIs")
    return Wish(
        target=target,
        force_authn=_boolean(parameters, "forceAuthn"),
        is_passive=_boolean(parameters, "isPassive"),
        class_refs=class_refs,
    )


def _boolean(parameters: Mapping[str, Sequence[str]], name: str) -> bool:
    values = parameters.get(name, ())
    value = values[0].strip().lower() if len(values) == 1 else "" if not values else "twice"
    if value not in _BOOLEANS:
        raise Malformed("login.link", f"{name} is neither true nor false")
    return _BOOLEANS[value]
