"""Debian's Shibboleth SP sends its people to our chooser, and they come back with the identity provider they chose."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from federation.saml.bindings import redirect
from federation.saml.metadata.reading import read_document
from federation.saml.profiles import sso_request
from tests.factories import signing_key
from tests.interop.shibboleth import ShibbolethSP
from tests.live import free_ports
from tests.sp_factories import Clock, FakeIdP, make_site, served


@pytest.mark.conformance("IIP-SP04")
def test_shibboleth_s_people_choose_on_our_page(tmp_path: Path) -> None:
    ours, theirs = free_ports(2)
    idp = FakeIdP(Clock(datetime.now(UTC)))
    key = signing_key(idp.key)
    assert key.certificate is not None
    with ShibbolethSP(
        port=theirs,
        idp_entity_id=idp.entity_id,
        idp_metadata=idp.metadata(),
        idp_certificate=x509.load_der_x509_certificate(key.certificate).public_bytes(Encoding.PEM),
        discovery_url=f"http://localhost:{ours}/saml/discovery",
    ) as shibboleth:
        file = tmp_path / "shibboleth.xml"
        file.write_bytes(shibboleth.metadata())
        settings = {"public_url": f"http://localhost:{ours}", "allow_http_loopback": "true"}
        site = make_site(tmp_path / "site", **settings, discovery_for=str(file))
        with served(site), httpx.Client(timeout=20) as browser:
            asked = browser.get(f"{shibboleth.url}/secure/")
            assert asked.headers["location"].startswith(f"{site.origin}/saml/discovery?entityID=")
            page = browser.get(asked.headers["location"])
            assert page.status_code == 200
            assert "Where do you sign in?" in page.text
            chosen = browser.get(f"{page.url}&choose={idp.entity_id}")
            assert chosen.headers["location"].startswith(f"{shibboleth.url}/Shibboleth.sso/Login?")
            left = browser.get(chosen.headers["location"])
            request = redirect.decode(urlsplit(left.headers["location"]).query.encode())
            assert left.headers["location"].startswith(f"{idp.sso_url}?SAMLRequest=")
            (entity,) = read_document(file.read_bytes())
            assert sso_request.issuer_of(request) == entity.entity_id == shibboleth.entity_id
        site.provider.engine.dispose()
