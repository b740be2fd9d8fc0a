"""Write a migration from the difference between an app's models and its newest revision.

    python -m federation.storage.revise idp_app "why it changes"

It works on a scratch database and touches no other. Read what it wrote before you commit it: it cannot see a renaming.
"""

from __future__ import annotations

import sys
import tempfile
from importlib import import_module
from pathlib import Path

from federation.errors import FederationError
from federation.storage import engine as engines
from federation.storage.migrations import revise


def main(arguments: list[str]) -> int:
    """Print the path of the new revision. Answer 2 for misuse and 1 when it cannot be written."""
    if len(arguments) != 2:
        sys.stderr.write('usage: python -m federation.storage.revise APP "why it changes"\n')
        return 2
    app, message = arguments
    import_module(f"{app}.models")  # every table
    metadata = import_module(f"{app}.models.base").Base.metadata
    with tempfile.TemporaryDirectory() as folder:
        engine = engines.create(f"sqlite:///{Path(folder) / 'scratch.sqlite'}")
        try:
            paths = revise(engine, script_location=f"{app}:migrations", metadata=metadata, message=message)
        except FederationError as error:
            sys.stderr.write(f"{error}\n")
            return 1
        finally:
            engine.dispose()
    sys.stdout.writelines(f"{path}\n" for path in paths)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
