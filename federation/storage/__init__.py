"""SQLAlchemy glue that both apps use: engine, session, types, migrations."""
