"""One reading of an aggregate in a process of its own, which ends by printing its peak memory in octets.

python -m tests.bench.aggregate_work bare|ours|pysaml2|pyff AGGREGATE CERTIFICATE FOLDER
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
    """What a refresh does: verify, read, lint with the schemas, stage, and write a row for each entity."""
    from datetime import UTC, datetime

    from federation.registry import sources
    from federation.registry.refreshing import Refresher
    from federation.storage.session import factory, unit_of_work
    from tests.bench import registry

    sessions = factory(registry.fresh_engine(folder, "index.sqlite"))
    with unit_of_work(sessions) as session:
        new = sources.NewSource("Bench", "file", str(aggregate), signer_certificates=[certificate.read_bytes()])
        source = sources.add(session, registry.HOST, new, registry.LIMITS, registry.OCCASION).id
    refresher = Refresher(
        registry.HOST, sessions, registry.LIMITS, clock=lambda: datetime.now(UTC), actor="bench", reference=""
    )
    report = refresher.refresh(source)
    assert report is not None
    assert report.ok, report.sentence


def pysaml2(aggregate: Path, _certificate: Path, _folder: Path) -> None:
    """Its loader, without a signature to check."""
    from saml2.attribute_converter import ac_factory
    from saml2.mdstore import MetaDataFile

    MetaDataFile(ac_factory(), str(aggregate), check_validity=False).load()


def pyff(aggregate: Path, certificate: Path, folder: Path) -> None:
    """Its loader, which verifies the signature and validates against the schemas."""
    import ssl

    import pyff.builtins
    from pyff.pipes import plumbing
    from pyff.repo import MDRepository

    assert pyff.builtins.load
    pinned, pipeline = folder / "signer.pem", folder / "pipeline.yaml"
    pinned.write_text(ssl.DER_cert_to_PEM_cert(certificate.read_bytes()))
    pipeline.write_text(f"- load fail_on_error True:\n  - {aggregate} verify {pinned}\n")
    repository = MDRepository()
    plumbing(str(pipeline)).process(repository, state={"batch": True, "stats": {}})
    assert repository.store.size() > 0


def main(work: str, *files: str) -> None:
    """Do it and print the peak."""
    {"bare": bare, "ours": ours, "pysaml2": pysaml2, "pyff": pyff}[work](*map(Path, files))
    print(peak_memory())


def peak_memory() -> int:
    """The most memory this process ever had, in octets. (What getrusage says begins with the parent's.)"""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


if __name__ == "__main__":
    main(*sys.argv[1:])
