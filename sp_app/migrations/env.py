"""What Alembic runs; everything else is in `federation.storage.migrations`."""

from federation.storage.migrations import run
from sp_app.models import Base

run(Base.metadata)
