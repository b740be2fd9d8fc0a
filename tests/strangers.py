"""An identity provider and a service provider that run, reach each other over HTTP on loopback, and are strangers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from federation.registry.host import Occasion
from idp_app.models import Connection
from idp_app.services import audiences, invitations
from idp_app.services.provisioning import service
from sp_app.models import AcceptedInvitation, IdPConnection
from sp_app.services import invitations as accepted
from tests.idp_factories import Clock, IdPSite, make_idp
from tests.live import free_ports, serving
from tests.sp_factories import Site, make_site, served


@dataclass
class Two:
    """Both sites, running and strangers to each other.

    `held` is how many connections to its database the service provider had in use, each time that it asked.
    """

    idp: IdPSite
    sp: Site
    held: list[int] = field(default_factory=list)

    def invite(self, name: str = "Intranet", **more: Any) -> str:
        """The link of a new invitation."""
        with self.idp.work() as session:
            chosen = [audiences.find(session, "Staff")]
            _, link = invitations.create(
                session,
                self.idp.act("admin"),
                self.idp.installation,
                name=name,
                audiences=chosen,
                release="directory",
                **more,
            )
        return str(link)

    @property
    def work(self) -> accepted.Invitations:
        """The service provider's side, by its administrator."""
        occasion = Occasion(self.sp.clock(), "ada", "TEST-0001")
        return accepted.Invitations(self.sp.provider, self.sp.unit_of_work, occasion)

    def begin(self, link: str) -> AcceptedInvitation:
        """The service provider's administrator pastes a link."""
        begun = self.work.begin(link)
        with self.sp.unit_of_work() as session:
            return accepted.get(session, begun)

    def agree(self, link: str) -> bool:
        """And confirms; answers whether the connection is made."""
        return self.work.agree(self.work.begin(link)) is not None

    def confirm(self, name: str = "Intranet") -> bool:
        """The identity provider's administrator confirms."""
        with self.idp.work() as session:
            found = invitations.find(session, name)
            return invitations.confirm(session, found, self.idp.act("admin"), self.idp.installation) is not None

    def asked(self) -> list[str]:
        """What the service provider's worker does."""
        return list(self.work.check_all())

    def state(self, name: str = "Intranet") -> str:
        with self.idp.work() as session:
            return invitations.state(invitations.find(session, name), self.idp.clock())

    def connections(self) -> tuple[int, int]:
        """How many there are at the identity provider, and at the service provider."""
        return self.idp.count(Connection), self.sp.counts()["sp_idp_connection"]

    def provision(self) -> Any:
        """One run of the identity provider's worker."""
        service.sweep(self.idp.installation)
        with self.idp.work() as session:
            [connection] = service.provisioned(session)
        return service.provision(self.idp.installation, connection.id)


@contextmanager
def strangers(folder: Path, **settings: str) -> Iterator[Two]:
    """Both sites; `settings` are the service provider's."""
    (folder / "idp").mkdir()
    idp = make_idp(folder / "idp", clock=Clock(), public_url=f"http://localhost:{free_ports(1)[0]}")
    own = {"public_url": f"http://localhost:{free_ports(1)[0]}", "allow_http_loopback": "true"}
    sp = make_site(folder / "sp", **{**own, **settings})
    with sp.unit_of_work() as session:
        session.query(IdPConnection).delete()
    two = Two(idp, sp)

    def asked(environ: Any, start_response: Any) -> Any:
        two.held.append(sp.provider.engine.pool.checkedout())  # type: ignore[attr-defined]
        return idp.app(environ, start_response)

    with serving(asked, urlsplit(idp.installation.settings.public_url).port), served(sp):
        yield two
    idp.installation.engine.dispose()
    sp.provider.engine.dispose()
