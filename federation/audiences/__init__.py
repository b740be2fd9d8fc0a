"""Whom a connection may serve. Pure."""
