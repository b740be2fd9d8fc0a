"""Beside two other implementations: accepting and issuing the same messages."""

from __future__ import annotations

import logging
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from federation.saml.bindings import post
from federation.saml.names import Algorithm
from federation.saml.profiles import sso_response
from tests import factories
from tests.bench.measure import Absent, Entry, Operation, timed
from tests.differential import parties
from tests.interop import pysaml2_party

ROUNDS = 40
IN_A_ROW = 10
PROGRAM = "xmlsec1"


def _in_a_row(operation: Operation) -> float:
    """Seconds for one of several messages in a row, as a site that is used takes them."""
    return timed(lambda: [operation() for _ in range(IN_A_ROW)]) / IN_A_ROW


def entries() -> Iterator[Entry | Absent]:
    """The lines on other implementations."""
    warnings.simplefilter("ignore")
    logging.getLogger("saml2").setLevel(logging.CRITICAL)
    now = pysaml2_party.now()
    document = factories.response_xml(
        now=now,
        authn_instant=now - timedelta(minutes=1),
        lifetime=timedelta(hours=2),
        encrypt_to=None,
    )
    posted, expected = factories.base64_text(document), factories.expectations(now=now)
    theirs = parties.python3_saml()

    def ours() -> None:
        sso_response.accept(post.decode([("SAMLResponse", posted)]), expected)

    def beside() -> None:
        _accept(theirs, document)

    name = "accept: response signed"
    yield Entry(name, ours, "python3-saml", beside, budget=1 / 4, rounds=ROUNDS, gauge=_in_a_row)
    # Each right after the other, whose work has pushed its own out of the processor's caches: shown beside.
    yield Entry(f"{name}, caches cold", ours, "python3-saml", beside, budget=None, rounds=ROUNDS)
    name = "issue: assertion signed"
    program = shutil.which(PROGRAM)
    if program is None:
        yield Absent(name, f"the program {PROGRAM} (Debian's package of that name)")
        return
    yield Entry(
        name,
        lambda: factories.response_xml(encrypt_to=None, sign_response=False),
        f"pysaml2 with {PROGRAM}",
        _issued_by_pysaml2(program),
        budget=1 / 30,
        rounds=ROUNDS,
    )


def _accept(judge: parties.Judge, document: bytes) -> None:
    if judge(document) != parties.ACCEPTED:
        raise SystemExit("the message to be measured is refused")


def _issued_by_pysaml2(program: str) -> Operation:
    idp = pysaml2_party.identity_provider(Path(tempfile.mkdtemp()), program=program)

    def issue() -> object:
        return idp.create_authn_response(
            identity={"displayName": ["Alice Archer"], "mail": ["alice@example.org"]},
            in_response_to=factories.REQUEST_ID,
            destination=factories.ACS_URL,
            sp_entity_id=factories.SP,
            userid="alice",
            authn={"class_ref": "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"},
            sign_response=False,
            sign_assertion=True,
            sign_alg=Algorithm.RSA_SHA256,
            digest_alg=Algorithm.SHA256,
        )

    return issue
