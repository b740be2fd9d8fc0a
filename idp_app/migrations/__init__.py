"""Alembic's folder of the identity provider's database."""
