"""The demo's configuration: read from the file, or from a copy for other ports and addresses."""

from __future__ import annotations

from pathlib import Path

import pytest

from federation.cli.demo.sites import Federation, prepare
from federation.errors import ConfigurationError

ROOT = Path(__file__).parents[5]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A checkout, as far as the demo looks."""
    path = tmp_path / "checkout" / "development.ini"
    path.parent.mkdir()
    path.write_text((ROOT / "development.ini").read_text())
    return path


def described(federation: Federation) -> dict[str, tuple[str, str, int, str]]:
    return {site.name: (site.command, site.section, site.port, site.url) for site in federation.sites}


def test_the_three_sites_are_those_of_the_configuration(config):
    federation = prepare(config, None, {})
    assert federation.config == config
    assert described(federation) == {
        "Identity provider": ("idp", "main", 6543, "http://localhost:6543"),
        "Intranet": ("sp", "sp", 6544, "http://localhost:6544"),
        "Learning": ("sp", "learning", 6545, "http://localhost:6545"),
    }
    assert federation.logs == config.parent / "var" / "log"
    assert federation.idp.metadata == config.parent / "metadata" / "idp.local.xml"
    assert federation.people == config.parent / "docs" / "tutorial" / "people.csv"


def test_a_directory_holds_everything_that_the_demo_writes(config, tmp_path):
    federation = prepare(config, tmp_path / "elsewhere", {"idp_port": "7543"})
    assert federation.config == tmp_path / "elsewhere" / "development.ini"
    assert federation.idp.port == 7543
    assert federation.idp.url == "http://localhost:7543"
    assert federation.logs == tmp_path / "elsewhere" / "var" / "log"
    assert federation.idp.metadata == tmp_path / "elsewhere" / "metadata" / "idp.local.xml"
    assert federation.idp.metadata.parent.is_dir()
    assert federation.people == config.parent / "docs" / "tutorial" / "people.csv"


def test_an_address_before_the_site_is_published_and_the_port_stays(config, tmp_path):
    federation = prepare(
        config, tmp_path / "x", {"intranet_port": "7544", "intranet_url": "https://intranet.test:8443"}
    )
    intranet = federation.partners[0]
    assert (intranet.url, intranet.local_url) == ("https://intranet.test:8443", "http://localhost:7544")


def test_other_ports_get_a_directory_of_their_own(config):
    federation = prepare(config, None, {"idp_port": "7543", "learning_port": "7545"})
    assert federation.config == config.parent / "var" / "demo-7543-7545" / "development.ini"


def test_the_same_addresses_find_their_directory_again(config, tmp_path):
    changes = {"idp_port": "7543"}
    assert prepare(config, tmp_path / "x", changes) == prepare(config, tmp_path / "x", changes)


def test_a_directory_of_other_addresses_is_refused(config, tmp_path):
    prepare(config, tmp_path / "x", {"idp_port": "7543"})
    with pytest.raises(ConfigurationError, match="belongs to a demo at other addresses"):
        prepare(config, tmp_path / "x", {"idp_port": "7999"})


def test_a_setting_that_is_not_there_cannot_be_changed(config, tmp_path):
    config.write_text(config.read_text().replace("idp_url = ", "idp_address = "))
    with pytest.raises(ConfigurationError, match="has no idp_url"):
        prepare(config, tmp_path / "x", {"idp_url": "https://idp.test"})


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("no section", "cannot be read as an ini file"),
        ("[app:main]\nidp.public_url = x\n", "does not describe the demo's three sites"),
        ("[DEFAULT]\npublished = p\nvar = v\n[server:main]\nport = many\n", "does not describe the demo's three sites"),
    ],
)
def test_a_configuration_that_will_not_do_is_one_sentence(config, text, sentence):
    config.write_text(text)
    with pytest.raises(ConfigurationError, match=sentence) as caught:
        prepare(config, None, {})
    assert "\n" not in str(caught.value)


def test_a_missing_configuration_is_named(tmp_path):
    with pytest.raises(ConfigurationError, match=r"nowhere\.ini: No such file or directory"):
        prepare(tmp_path / "nowhere.ini", None, {})
