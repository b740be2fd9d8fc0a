"""SQLAlchemy glue that both apps use: engine, session, types, migrations.

    base         metadata with a naming convention, the column types and the map from annotations to them
    secrets      AES-GCM for what must not lie in a database in the clear
    engine       SQLite (WAL) and PostgreSQL (psycopg 3) behave alike: read committed, writers wait in line
    session      one session per unit of work: joined to `request.tm` on the web, `unit_of_work` elsewhere
    migrations   each app's own Alembic folder, run by the program

Nothing here knows an app or the web.
"""
