"""`federation metadata`: what an administrator types, what comes back, and with which exit code."""

import json
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_der_x509_certificate

from federation.cli.main import run
from federation.saml import certificates
from federation.saml.metadata import aggregate, reading
from federation.saml.metadata.query import sha1_identifier
from tests.metadata_factories import (
    IDP_ID,
    NOW,
    SAMPLES,
    SP_ID,
    acs_xml,
    certificate_of,
    entity_xml,
    fingerprint_of,
    group_xml,
    idp_entity,
    idp_role_xml,
    key_xml,
    published,
    signed,
    sp_entity,
    sp_role_xml,
)

AT = "--now=2026-03-01T12:00:00Z"
UNTIL = 'validUntil="2026-03-20T00:00:00Z"'


@pytest.fixture
def folder(tmp_path):
    """Documents on disk: two entities, an aggregate, their signers' certificates, a key pair of our own."""
    (tmp_path / "idp.xml").write_bytes(published(idp_entity(), "idp"))
    (tmp_path / "sp.xml").write_bytes(published(sp_entity(), "sp"))
    both = group_xml(
        entity_xml(idp_role_xml(), entity_id=IDP_ID), entity_xml(sp_role_xml(), entity_id=SP_ID), attributes=UNTIL
    )
    (tmp_path / "both.xml").write_bytes(signed(both, "federation"))
    (tmp_path / "unsigned.xml").write_text(entity_xml(sp_role_xml(), attributes=UNTIL))
    for name in ("idp", "sp", "federation"):
        pem = load_der_x509_certificate(certificate_of(name)).public_bytes(Encoding.PEM)
        (tmp_path / f"{name}.crt").write_bytes(pem)
    (tmp_path / "sp.der").write_bytes(certificate_of("sp"))
    private, certificate = certificates.generate("ours", now=NOW, bits=2048)
    (tmp_path / "ours.key").write_bytes(private)
    (tmp_path / "ours.crt").write_bytes(certificate)
    return tmp_path


def answer(capsys, *arguments):
    """The exit code and the one JSON object of a command."""
    code = run(["metadata", *map(str, arguments), "--json"])
    return code, json.loads(capsys.readouterr().out)


def keys(folder):
    return "--key", str(folder / "ours.key"), "--certificate", str(folder / "ours.crt")


# check


def test_an_acceptable_document_lists_its_entity(folder, capsys):
    code, result = answer(capsys, "check", folder / "sp.xml", "--signer", folder / "sp.crt", AT)
    assert code == 0
    assert result["accepted"] is True
    assert result["error"] is None
    assert result["entities"] == [{"entity_id": SP_ID, "roles": ["sp"], "valid_until": "2026-03-22T12:00:00Z"}]
    assert {"rule", "level", "message"} <= set(result["findings"][0])
    assert {each["level"] for each in result["findings"]} <= {"warning", "info"}


def test_an_aggregate_lists_every_entity(folder, capsys):
    code, result = answer(capsys, "check", folder / "both.xml", "--signer", folder / "federation.crt", AT)
    assert code == 0
    assert [(each["entity_id"], each["roles"]) for each in result["entities"]] == [(IDP_ID, ["idp"]), (SP_ID, ["sp"])]
    assert {each["valid_until"] for each in result["entities"]} == {"2026-03-20T00:00:00Z"}


@pytest.mark.parametrize("signer", ["sp.crt", "sp.der", "fingerprint"])
def test_a_signer_is_a_certificate_or_its_fingerprint(folder, signer):
    named = fingerprint_of("sp") if signer == "fingerprint" else str(folder / signer)
    assert run(["metadata", "check", str(folder / "sp.xml"), "--signer", named, AT]) == 0


def test_any_of_several_signers_will_do(folder):
    signers = ["--signer", str(folder / "idp.crt"), "--signer", str(folder / "sp.crt")]
    assert run(["metadata", "check", str(folder / "sp.xml"), *signers, AT]) == 0


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        (["sp.xml", "--signer", "idp.crt"], "signature.value"),
        (["both.xml", "--signer", fingerprint_of("sp")], "metadata.signature.signer"),
        (["unsigned.xml", "--signer", "sp.crt"], "metadata.signature.present"),
        (["sp.xml", "--max-validity", "20"], "metadata.valid_until.limit"),
        (["sp.xml", "--now", "2026-04-01T00:00:00Z"], "metadata.valid_until.future"),
        (["sp.xml", "--own-entity-id", SP_ID], "metadata.own_entity_id"),
        (["both.xml", "--own-entity-id", SP_ID], "metadata.own_entity_id"),
        ([str(SAMPLES / "shibboleth-sp.xml")], "metadata.valid_until.present"),
    ],
)
def test_what_is_refused_is_refused_whole_with_its_rule(folder, monkeypatch, capsys, arguments, rule):
    monkeypatch.chdir(folder)
    now = [] if "--now" in arguments else [AT]
    code, result = answer(capsys, "check", *arguments, *now)
    assert code == 1
    assert result["accepted"] is False
    assert result["entities"] == []
    assert result["error"].startswith(rule)
    assert result["findings"][0]["rule"] == rule
    assert result["findings"][0]["level"] == "error"
    assert result["findings"][0]["place"]


def test_a_named_exception_waives_valid_until_and_stays_visible(capsys):
    code, result = answer(capsys, "check", SAMPLES / "shibboleth-sp.xml", "--except", "missing-valid-until", AT)
    assert code == 0
    assert result["entities"][0]["valid_until"] is None
    assert [each["rule"] for each in result["findings"]].count("metadata.valid_until.missing") == 1


def test_http_on_loopback_is_accepted_only_where_it_is_allowed(tmp_path):
    file = tmp_path / "local.xml"
    file.write_text(entity_xml(sp_role_xml(key_xml("sp") + acs_xml("http://localhost:6544/acs")), attributes=UNTIL))
    assert run(["metadata", "check", str(file), AT]) == 1
    assert run(["metadata", "check", str(file), "--allow-http-loopback", AT]) == 0


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nowhere.xml"],
        ["sp.xml", "--now", "tomorrow"],
        ["sp.xml", "--max-validity", "0"],
        ["sp.xml", "--max-validity", "many"],
        ["sp.xml", "--signer", "nowhere.crt"],
        ["sp.xml", "--signer", "sp.xml"],
        ["sp.xml", "--except", "everything"],
    ],
    ids=" ".join,
)
def test_misuse_is_told_from_refusal(folder, monkeypatch, capsys, arguments):
    monkeypatch.chdir(folder)
    assert run(["metadata", "check", *arguments]) == 2
    assert "Usage:" in capsys.readouterr().err


def test_people_read_the_reason_first(folder, capsys):
    assert run(["metadata", "check", str(folder / "sp.xml"), "--now", "2026-04-01T00:00:00Z"]) == 1
    out = capsys.readouterr().out
    assert out.startswith("Refused: metadata.valid_until.future (SAML Metadata 2.3.2; IIP-MD04): expected valid after")


def test_people_read_findings_once_for_all_entities(folder, capsys):
    assert run(["metadata", "check", str(folder / "both.xml"), AT]) == 0
    out = capsys.readouterr().out
    assert out.count("metadata.contact.missing") == 1
    assert "(and 1 more of this kind)" in out


# diff


def test_a_difference_is_said_by_meaning(folder, capsys):
    moved = sp_entity()
    (folder / "new.xml").write_bytes(published(moved, "sp", validity=timedelta(days=25)))
    code, result = answer(capsys, "diff", folder / "sp.xml", folder / "new.xml")
    assert code == 0
    assert [each["kind"] for each in result["changes"]] == ["validity.renewed"]
    assert result["changes"][0]["entity_id"] == SP_ID


def test_equal_meaning_is_no_difference(folder, capsys):
    assert run(["metadata", "diff", str(folder / "sp.xml"), str(folder / "sp.xml")]) == 0
    assert capsys.readouterr().out == "Nothing changes.\n"


def test_aggregates_differ_entity_by_entity(folder, capsys):
    (folder / "new.xml").write_text(
        group_xml(
            entity_xml(sp_role_xml(), entity_id=SP_ID),
            entity_xml(sp_role_xml(), entity_id="urn:example:new"),
            attributes=UNTIL,
        )
    )
    code, result = answer(capsys, "diff", folder / "both.xml", folder / "new.xml")
    assert code == 0
    assert [(each["entity_id"], each["kind"], each["effect"]) for each in result["changes"]] == [
        (IDP_ID, "entity.removed", "reduces"),
        ("urn:example:new", "entity.added", "widens"),
    ]


def test_people_read_sentences_under_each_entity(folder, capsys):
    assert run(["metadata", "diff", str(folder / "both.xml"), str(folder / "idp.xml")]) == 0
    out = capsys.readouterr().out
    assert f"{SP_ID}\n  reduces   It is no longer there." in out


# sign


def test_a_signed_document_is_accepted_with_our_certificate(folder):
    out = folder / "out.xml"
    command = ["metadata", "sign", str(folder / "unsigned.xml"), *keys(folder), "--valid-days", "7", "-o", str(out), AT]
    assert run(command) == 0
    verified = aggregate.verify(out.read_bytes(), now=NOW)
    assert verified.valid_until == NOW + timedelta(days=7)
    assert run(["metadata", "check", str(out), "--signer", str(folder / "ours.crt"), AT]) == 0


def test_signing_replaces_a_signature_and_prints_without_a_file(folder, capsysbinary):
    assert run(["metadata", "sign", str(folder / "both.xml"), *keys(folder), AT]) == 0
    out = capsysbinary.readouterr().out
    assert out.count(b"</ds:Signature>") == 1
    assert [entity.entity_id for entity in reading.read_document(out)] == [IDP_ID, SP_ID]


def test_what_a_check_would_refuse_is_not_signed(folder, capsys):
    (folder / "http.xml").write_text(entity_xml(sp_role_xml(key_xml("sp") + acs_xml("http://sp.example.org/acs"))))
    out = folder / "out.xml"
    assert run(["metadata", "sign", str(folder / "http.xml"), *keys(folder), "-o", str(out), AT]) == 1
    assert "metadata.endpoints" in capsys.readouterr().err
    assert not out.exists()


def test_a_key_that_is_not_the_certificate_s_is_refused(folder):
    wrong = ["--key", str(folder / "ours.key"), "--certificate", str(folder / "sp.crt")]
    assert run(["metadata", "sign", str(folder / "unsigned.xml"), *wrong, AT]) == 1


# publish


def test_entities_become_one_signed_aggregate(folder, capsys):
    out = folder / "all.xml"
    command = [
        "metadata",
        "publish",
        str(folder / "idp.xml"),
        str(folder / "sp.xml"),
        *keys(folder),
        "-o",
        str(out),
        AT,
    ]
    assert run([*command, "--name", "https://example.org/federation"]) == 0
    assert "2 entities" in capsys.readouterr().out
    code, result = answer(capsys, "check", out, "--signer", folder / "ours.crt", AT)
    assert code == 0
    assert [each["entity_id"] for each in result["entities"]] == [IDP_ID, SP_ID]


def test_a_folder_gets_a_signed_document_for_each_entity(folder):
    target = folder / "mdq"
    command = ["metadata", "publish", str(folder / "both.xml"), *keys(folder), "--folder", str(target), AT]
    assert run(command) == 0
    files = sorted(each.name for each in (target / "entities").iterdir())
    assert files == sorted([sha1_identifier(IDP_ID), sha1_identifier(SP_ID)])
    document = (target / "entities" / sha1_identifier(SP_ID)).read_bytes()
    (entity,) = reading.read_document(document)
    assert entity.entity_id == SP_ID
    assert entity.valid_until.isoformat() == "2026-03-20T00:00:00+00:00"


def test_an_entity_that_is_gone_is_no_longer_served_and_other_files_are_left_alone(folder):
    target = folder / "mdq" / "entities"
    command = ["metadata", "publish", str(folder / "both.xml"), *keys(folder), "--folder", str(target.parent), AT]
    assert run(command) == 0
    (target / "notes.txt").write_text("ours")
    assert run([*command, "--role", "idp"]) == 0
    assert sorted(each.name for each in target.iterdir()) == sorted([sha1_identifier(IDP_ID), "notes.txt"])


def test_a_folder_of_files_is_published_as_a_whole(folder):
    source, out = folder / "members", folder / "all.xml"
    source.mkdir()
    for name in ("idp.xml", "sp.xml"):
        (folder / name).rename(source / name)
    assert run(["metadata", "publish", str(source), *keys(folder), "-o", str(out), AT]) == 0
    assert len(reading.read_document(out.read_bytes())) == 2


@pytest.mark.parametrize(
    "arguments", [["both.xml", "sp.xml"], ["sp.xml", "unsigned.xml"], [str(SAMPLES / "shibboleth-sp.xml")]]
)
def test_nothing_is_published_if_one_document_is_refused_or_an_entity_comes_twice(folder, monkeypatch, arguments):
    monkeypatch.chdir(folder)
    assert run(["metadata", "publish", *arguments, *keys(folder), "-o", "all.xml", "--folder", "mdq", AT]) == 1
    assert not (folder / "all.xml").exists()
    assert not (folder / "mdq").exists()


def test_publishing_nothing_or_nowhere_is_told(folder, monkeypatch):
    monkeypatch.chdir(folder)
    assert run(["metadata", "publish", "sp.xml", *keys(folder), AT]) == 2
    assert run(["metadata", "publish", "sp.xml", *keys(folder), "-o", "all.xml", "--role", "idp", AT]) == 1
