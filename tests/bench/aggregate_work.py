"""One reading of an aggregate in a process of its own, which ends by printing its peak memory in octets.

python -m tests.bench.aggregate_work bare|ours|pysaml2 AGGREGATE CERTIFICATE FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path


def bare(aggregate: Path, certificate: Path, _folder: Path) -> None:
    """What cannot be done without: lxml's parse and xmlsec's verification."""
    import xmlsec
    from lxml import etree

    root = etree.parse(str(aggregate), etree.XMLParser(huge_tree=True)).getroot()
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_file(str(certificate), xmlsec.constants.KeyDataFormatCertDer)
    context.register_id(root, "ID")
    context.verify(xmlsec.tree.find_child(root, "Signature", xmlsec.constants.DSigNs))


def ours(aggregate: Path, certificate: Path, folder: Path) -> None:
    """Verify, read, lint with the schemas, and index: a row for each entity with its digest and its own document."""
    import sqlite3
    from datetime import UTC, datetime

    from federation.saml.metadata.aggregate import members, verify
    from federation.saml.metadata.origin import Pins

    now = datetime.now(UTC)
    pins = Pins.of(certificates_der=[certificate.read_bytes()])
    verified = verify(aggregate.read_bytes(), now=now, pins=pins)
    index = folder / "index.sqlite"
    index.unlink(missing_ok=True)
    with sqlite3.connect(index) as database:
        database.execute(
            "CREATE TABLE entity (entity_id TEXT PRIMARY KEY, name TEXT, digest TEXT, octets BLOB, lint INT)"
        )
        rows = (
            (each.entity.entity_id, each.entity.display_name(), each.digest, each.octets, len(each.findings))
            for each in members(verified.octets, own_entity_id="https://ours.example.org/saml", now=now)
        )
        database.executemany("INSERT INTO entity VALUES (?, ?, ?, ?, ?)", rows)


def pysaml2(aggregate: Path, _certificate: Path, _folder: Path) -> None:
    """Its loader, without a signature to check."""
    from saml2.attribute_converter import ac_factory
    from saml2.mdstore import MetaDataFile

    MetaDataFile(ac_factory(), str(aggregate), check_validity=False).load()


def main(work: str, *files: str) -> None:
    """Do it and print the peak."""
    {"bare": bare, "ours": ours, "pysaml2": pysaml2}[work](*map(Path, files))
    print(peak_memory())


def peak_memory() -> int:
    """The most memory this process ever had, in octets. (What getrusage says begins with the parent's.)"""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


if __name__ == "__main__":
    main(*sys.argv[1:])
