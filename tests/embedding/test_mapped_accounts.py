"""The people of a host as a SQLAlchemy model keep the promises of the port, whatever their key is made of."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from pyramid.testing import DummyRequest
from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from federation.errors import ConfigurationError
from sp_app.accounts import AccountStore
from sp_app.accounts.contract import AccountStoreContract
from sp_app.accounts.mapped import MappedAccountStore, mapped_accounts
from tests.embedding.library import Reader


class Base(DeclarativeBase):
    pass


class ByUuid(Base):
    __tablename__ = "by_uuid"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    login: Mapped[str | None]
    enabled: Mapped[bool]


class ByText(Base):
    __tablename__ = "by_text"

    key: Mapped[str] = mapped_column(primary_key=True, default=lambda: uuid.uuid4().hex)
    login: Mapped[str | None]
    given: Mapped[str | None]
    family: Mapped[str | None]
    enabled: Mapped[bool]


def store(model: type, ended: list[str], **attributes: str) -> Iterator[MappedAccountStore]:
    engine = create_engine("sqlite://")
    model.metadata.create_all(engine)
    with Session(engine) as session:
        active = attributes.pop("active", "enabled")
        yield MappedAccountStore(session, model, active=active, attributes=attributes, end_sessions=ended.append)
    engine.dispose()


class TestReaders(AccountStoreContract):
    KEEPS = ("username", "display_name", "mail")

    @pytest.fixture
    def accounts(self) -> Iterator[AccountStore]:
        names = {"username": "login", "display_name": "full_name", "mail": "email", "active": "may_enter"}
        yield from store(Reader, [], **names)


class TestByUuid(AccountStoreContract):
    KEEPS = ("username",)

    @pytest.fixture
    def accounts(self) -> Iterator[AccountStore]:
        yield from store(ByUuid, [], username="login")


class TestByText(AccountStoreContract):
    KEEPS = ("username", "given_name", "family_name")

    @pytest.fixture
    def accounts(self) -> Iterator[AccountStore]:
        yield from store(ByText, [], username="login", given_name="given", family_name="family")


def test_the_hosts_own_sessions_are_ended_by_its_own_function() -> None:
    ended: list[str] = []
    (accounts,) = store(ByText, ended, username="login")
    accounts.end_sessions("17")
    assert ended == ["17"]


def test_the_factory_hands_the_request_to_the_host() -> None:
    seen = []
    factory = mapped_accounts(ByText, active="enabled", username="login", end_sessions=lambda *told: seen.append(told))
    request = DummyRequest()
    request.sp = type("Composition", (), {"session": None})
    factory(request).end_sessions("17")
    assert seen == [(request, "17")]


@pytest.mark.parametrize("wrong", [{"username": "nothing"}, {"shoe_size": "login"}, {"active": "nothing"}])
def test_a_name_that_does_not_exist_is_told_at_start(wrong: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError):
        mapped_accounts(ByText, **{"active": "enabled", **wrong})
