"""Other people's clients of the Metadata Query Protocol ask our responder."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from saml2.mdstore import MetaDataMDX
from saml2.sigver import XmlsecError

from tests.functional.idp.test_entities import INTRANET, LIBRARY, OWN, served
from tests.idp_factories import make_idp
from tests.interop import pysaml2_party
from tests.interop.shibboleth import ShibbolethSP
from tests.live import free_ports


def test_pysaml2_asks_by_the_transformed_identifier(tmp_path: Path) -> None:
    idp = make_idp(tmp_path / "idp", publish_connections=True)
    idp.clock.now = datetime.now(UTC)  # the only time that pysaml2 knows
    idp.connect(INTRANET)
    certificate = tmp_path / "idp" / "keys" / "signing.crt.pem"
    security = pysaml2_party.identity_provider(tmp_path).metadata.security
    with served(idp) as base:
        client = MetaDataMDX(base, security, str(certificate))
        assert client[OWN]["entity_id"] == OWN
        (role,) = client[INTRANET.entity_id]["spsso_descriptor"]
        assert [each["location"] for each in role["assertion_consumer_service"]] == [INTRANET.acs_url]
        with pytest.raises(KeyError, match="404"):
            client[LIBRARY.entity_id]
        stranger = shutil.copy(tmp_path / "sp-encryption.crt", tmp_path / "stranger.crt")
        with pytest.raises(XmlsecError, match="invalid"):
            MetaDataMDX(base, security, str(stranger))[OWN]
    idp.installation.engine.dispose()


def test_shibboleth_asks_by_the_plain_identifier(tmp_path: Path) -> None:
    idp = make_idp(tmp_path / "idp", publish_connections=True)
    idp.clock.now = datetime.now(UTC)
    with (
        served(idp) as base,
        ShibbolethSP(
            port=free_ports(1)[0],
            idp_entity_id=OWN,
            idp_metadata=b"",
            idp_certificate=(tmp_path / "idp" / "keys" / "signing.crt.pem").read_bytes(),
            responder_url=base,
        ) as shibboleth,
    ):
        known = httpx.get(f"{shibboleth.url}/Shibboleth.sso/Login", params={"entityID": OWN})
        assert known.headers["Location"].startswith(idp.installation.settings.sso_url)
        unknown = httpx.get(f"{shibboleth.url}/Shibboleth.sso/Login", params={"entityID": LIBRARY.entity_id})
        assert "SAMLRequest" not in unknown.headers.get("Location", "")
    idp.installation.engine.dispose()
