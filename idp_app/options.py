"""What one partner needs that differs from the default: one small value, chosen when connecting or in the console.

Everything that makes an answer weaker than the profiles ask for is named among `weaknesses`, so that whoever looks at
the connection sees it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple

from federation.attributes.catalogue import CATALOGUE
from federation.errors import ConfigurationError
from federation.saml.algorithms import PLAIN, presets_named, weaknesses
from federation.saml.messages import Attribute
from federation.saml.metadata.entity import RequestedAttribute
from federation.saml.names import NameFormat, NameIDFormat
from federation.saml.profiles.sso_response_build import ASSERTION, ATTRIBUTES, NAME_ID

AUTO: Final = "auto"
SIGN: Final = (AUTO, "response", "assertion", "both")
"""What is signed: the response, and the assertion too where the partner's metadata wants that (auto); or as named."""
NAME_ID_FORMATS: Final[Mapping[str, str | None]] = {
    AUTO: None,
    "transient": NameIDFormat.TRANSIENT,
    "persistent": NameIDFormat.PERSISTENT,
    "emailAddress": NameIDFormat.EMAIL,
    "unspecified": NameIDFormat.UNSPECIFIED,
    "none": None,
}
"""What names the person where a request does not say: as metadata lists (auto), a format, or nothing at all."""
ENCRYPT: Final = (ASSERTION, NAME_ID, ATTRIBUTES)
LOGOUT: Final = (AUTO, "browser", "soap")
"""How a partner is told of a logout while a browser is at hand: as its metadata prefers (auto), or as named."""
NAME_FORMATS: Final[Mapping[str, str]] = {
    "uri": NameFormat.URI,
    "basic": NameFormat.BASIC,
    "unspecified": NameFormat.UNSPECIFIED,
}
_ATTRIBUTE: Final = "attribute:"
_FORM: Final = f"sign=…, name-id=…, encrypt=…, logout=…, key=… or {_ATTRIBUTE}KEY=NAME"


class Name(NamedTuple):
    """What a partner calls an attribute: Name and NameFormat (SAML Core 2.7.3.1)."""

    name: str
    name_format: str | None


@dataclass(frozen=True, slots=True)
class Options:
    """Choices for one service provider. `attribute_names` are pairs of catalogue key and name.

    `key` names the published signing key that it alone needs; empty for the one in use.
    """

    presets: tuple[str, ...] = ()
    sign: str = AUTO
    name_id: str = AUTO
    encrypt: tuple[str, ...] = (ASSERTION,)
    logout: str = AUTO
    key: str = ""
    attribute_names: tuple[tuple[str, Name], ...] = field(default=())

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Options:
        """Read what `to_json` wrote. Raises `ConfigurationError` for anything else: no option is guessed at."""
        try:
            return cls(
                presets=presets_named(data.get("presets", ())),
                sign=_one_of("sign", data.get("sign", AUTO), SIGN),
                name_id=_one_of("name-id", data.get("name_id", AUTO), NAME_ID_FORMATS),
                encrypt=tuple(_one_of("encrypt", part, ENCRYPT) for part in data.get("encrypt", (ASSERTION,))),
                logout=_one_of("logout", data.get("logout", AUTO), LOGOUT),
                key=str(data.get("key", "")),
                attribute_names=tuple((key, Name(*name)) for key, name in data.get("attribute_names", {}).items()),
            )
        except (TypeError, AttributeError):
            raise ConfigurationError("the connection's options are not in the form that this version writes") from None

    def to_json(self) -> dict[str, Any]:
        """A JSON object with what differs from the default."""
        written = {
            "presets": list(self.presets),
            "sign": self.sign,
            "name_id": self.name_id,
            "encrypt": list(self.encrypt),
            "logout": self.logout,
            "key": self.key,
            "attribute_names": {key: list(name) for key, name in self.attribute_names},
        }
        plain = {
            "presets": [],
            "sign": AUTO,
            "name_id": AUTO,
            "encrypt": [ASSERTION],
            "logout": AUTO,
            "key": "",
            "attribute_names": {},
        }
        return {key: value for key, value in written.items() if value != plain[key]}

    def changed(self, presets: Sequence[str], settings: Iterable[str]) -> Options:
        """These options after `--preset` and `--option NAME=VALUE`. What is not given stays as it was.

        Raises `ConfigurationError` for a name or a value that does not exist.
        """
        options = replace(self, presets=presets_named(presets)) if presets else self
        for setting in settings:
            name, equals, value = setting.partition("=")
            if not equals:
                raise ConfigurationError(f"the option {setting!r} is not of the form {_FORM}")
            options = options._with(name.strip(), value.strip())
        return options

    def _with(self, name: str, value: str) -> Options:
        match name:
            case "sign":
                return replace(self, sign=_one_of(name, value, SIGN))
            case "name-id":
                return replace(self, name_id=_one_of(name, value, NAME_ID_FORMATS))
            case "encrypt":
                parts = [_one_of(name, part.strip(), ENCRYPT) for part in value.split(",")]
                return replace(self, encrypt=tuple(part for part in ENCRYPT if part in parts))
            case "logout":
                return replace(self, logout=_one_of(name, value, LOGOUT))
            case "key":
                return replace(self, key=value)
            case _ if name.startswith(_ATTRIBUTE):
                return self._with_name(name.removeprefix(_ATTRIBUTE), value)
        raise ConfigurationError(f"no option is called {name!r}: give {_FORM}")

    def _with_name(self, key: str, value: str) -> Options:
        if key not in CATALOGUE:
            raise ConfigurationError(f"no attribute is called {key!r}; choose from {', '.join(CATALOGUE)}")
        kept = tuple(each for each in self.attribute_names if each[0] != key)
        if not value:
            return replace(self, attribute_names=kept)
        name, _, given = value.partition(" ")
        usual = "uri" if ":" in name else "basic"
        name_format = NAME_FORMATS.get(given.strip() or usual, given.strip())
        return replace(self, attribute_names=(*kept, (key, Name(name, name_format))))

    @property
    def encrypted_parts(self) -> tuple[str, ...]:
        """What is encrypted where the partner has a key."""
        return () if PLAIN in self.presets else self.encrypt

    @property
    def weaknesses(self) -> tuple[dict[str, str], ...]:
        """What these options cost, in the form of the findings about metadata."""
        found = [(f"preset.{each.name}", each.weakness, "SDP-ALG01") for each in weaknesses(self.presets)]
        if self.sign == "assertion":
            found.append(("option.sign", "responses are not signed, only their assertions", "SDP-IDP09"))
        if ASSERTION not in self.encrypt and PLAIN not in self.presets:
            parts = " and ".join(self.encrypt)
            found.append(("option.encrypt", f"assertions are not encrypted as a whole, only {parts}", "SDP-IDP11"))
        if self.name_id not in (AUTO, "transient"):
            named = "no NameID" if self.name_id == "none" else f"a NameID of the format {self.name_id}"
            found.append(("option.name_id", f"gets {named}, not a transient one: logout may suffer", "SDP-IDP12"))
        return tuple(
            {"rule": rule, "level": "warning", "message": message, "reference": reference}
            for rule, message, reference in found
        )

    def asked(self, requested: Sequence[RequestedAttribute]) -> tuple[RequestedAttribute, ...]:
        """What a partner asks for under its own names, under ours."""
        ours = {name: CATALOGUE[key] for key, name in self.attribute_names}
        return tuple(
            replace(wish, name=entry.name, name_format=entry.name_format)
            if (entry := ours.get(Name(wish.name, wish.name_format))) is not None
            else wish
            for wish in requested
        )

    def told(self, attributes: tuple[Attribute, ...]) -> tuple[Attribute, ...]:
        """What is released, under the partner's own names (IIP-IDP01)."""
        if not self.attribute_names:
            return attributes
        theirs = {CATALOGUE[key].name: name for key, name in self.attribute_names}
        return tuple(
            each._replace(name=name.name, name_format=name.name_format)
            if (name := theirs.get(each.name)) is not None
            else each
            for each in attributes
        )

    def in_words(self) -> list[str]:
        """The options that differ from the default, for people."""
        words = [f"preset {name}" for name in self.presets]
        if self.sign != AUTO:
            words.append(f"sign={self.sign}")
        if self.name_id != AUTO:
            words.append(f"name-id={self.name_id}")
        if self.encrypt != (ASSERTION,):
            words.append(f"encrypt={','.join(self.encrypt)}")
        if self.logout != AUTO:
            words.append(f"logout={self.logout}")
        if self.key:
            words.append(f"key={self.key}")
        names = ((key, " ".join(filter(None, name))) for key, name in self.attribute_names)
        return words + [f"{_ATTRIBUTE}{key}={name}" for key, name in names]


def _one_of(name: str, value: str, choices: Iterable[str]) -> str:
    if value not in choices:
        raise ConfigurationError(f"the option {name} is one of {', '.join(choices)}, not {value!r}")
    return value


NO_OPTIONS: Final = Options()
"""What a partner gets for whom nothing was chosen."""
