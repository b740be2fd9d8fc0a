from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import Field, SecretStr

from federation.errors import ConfigurationError
from federation.web.settings import Duration, PublicURL, Settings, Words, read


class Sample(Settings):
    public_url: PublicURL
    lifetime: Duration = Field(timedelta(hours=8))
    scopes: Words = ()
    attempts: int = Field(5, ge=1)
    secret: SecretStr = SecretStr("made-up")
    other: SecretStr | None = Field(None, min_length=8)


GOOD = {"app.public_url": "https://idp.example.org"}


def problems(raw: dict[str, str]) -> tuple[str, ...]:
    with pytest.raises(ConfigurationError) as caught:
        read("app.", raw, Sample)
    return caught.value.problems


def test_settings_are_read_typed_and_frozen() -> None:
    settings = read(
        "app.",
        {**GOOD, "app.lifetime": "1 day, 12 hours", "app.scopes": "\na.org\n  b.org", "app.attempts": "7"},
        Sample,
    )
    assert (settings.lifetime, settings.scopes, settings.attempts) == (timedelta(hours=36), ("a.org", "b.org"), 7)
    with pytest.raises(ValueError, match="frozen"):
        settings.attempts = 8


def test_other_keys_are_left_to_whom_they_concern() -> None:
    assert read("app.", {**GOOD, "pyramid.includes": "x", "application.y": "z", "here": "/"}, Sample)


def test_every_mistake_is_told_at_once_with_key_value_and_expectation() -> None:
    told = problems({"app.atempts": "3", "app.attempts": "none", "app.lifetime": "soon"})
    assert told == (
        "app.atempts: there is no such setting; did you mean app.attempts?",
        "app.public_url: is required and not set",
        "app.lifetime = 'soon': write a duration such as 8 hours, 15 minutes or 1 day, 12 hours",
        "app.attempts = 'none': input should be a valid integer, unable to parse string as an integer",
    )


def test_an_unknown_key_alone_is_enough_to_refuse() -> None:
    assert problems({**GOOD, "app.zzz": "1"}) == ("app.zzz: there is no such setting",)


def test_a_secret_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMPLE_SECRET", "hush")
    assert read("app.", {**GOOD, "app.secret": "env:SAMPLE_SECRET"}, Sample).secret.get_secret_value() == "hush"


def test_a_secret_comes_from_a_file_beside_the_ini(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hush\n")
    raw = {**GOOD, "app.secret": "file:secret", "here": str(tmp_path)}
    assert read("app.", raw, Sample).secret.get_secret_value() == "hush"


def test_a_secret_that_is_not_there_is_said_once(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff")
    told = problems(
        {
            "app.public_url": "env:NOWHERE_AT_ALL",
            "app.secret": f"file:{tmp_path}/none",
            "app.other": f"file:{tmp_path}/binary",
        }
    )
    assert told == (
        "app.public_url = env:NOWHERE_AT_ALL: the environment has no variable NOWHERE_AT_ALL",
        f"app.secret = file:{tmp_path}/none: the file cannot be read (No such file or directory)",
        f"app.other = file:{tmp_path}/binary: the file is not UTF-8 text",
    )


def test_a_secret_is_never_echoed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMPLE_NUMBER", "hush-hush")
    told = problems({**GOOD, "app.other": "hush", "app.attempts": "env:SAMPLE_NUMBER"})
    assert len(told) == 2
    assert "hush" not in " ".join(told)


@pytest.mark.parametrize(
    "url", ["https://idp.example.org", "http://localhost:6543", "http://127.0.0.1:1", "https://a.example/mounted"]
)
def test_a_public_url_is_https_or_on_loopback(url: str) -> None:
    assert read("app.", {"app.public_url": url + "/"}, Sample).public_url == url


def test_a_port_that_goes_without_saying_is_not_said() -> None:
    assert (
        read("app.", {"app.public_url": "https://idp.example.org:443/"}, Sample).public_url == "https://idp.example.org"
    )


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("http://idp.example.org", "plain http is only for loopback"),
        ("http://localhost.example.org", "plain http is only for loopback"),
        ("idp.example.org", "write an address"),
        ("ftp://idp.example.org", "write an address"),
        ("https://who:what@idp.example.org", "write an address"),
        ("https://idp.example.org/?x=1", "write an address"),
        ("https://idp.example.org/#x", "write an address"),
        ("https://", "write an address"),
        ("https://IDP.example.org", "lower case"),
        ("https://idp.example.org:port", "write an address"),
        ("https://[::1", "write an address"),
    ],
)
def test_a_public_url_that_cannot_be_one_is_refused(url: str, sentence: str) -> None:
    (told,) = problems({"app.public_url": url})
    assert sentence in told


@pytest.mark.parametrize("text", ["", "8", "8 parsecs", "-1 hours", "1 hour,", "99999999999 days"])
def test_a_duration_that_is_none_is_refused(text: str) -> None:
    (told,) = problems({**GOOD, "app.lifetime": text})
    assert "write a duration" in told
