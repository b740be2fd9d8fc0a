"""Run the migrations on the connection that `federation.storage.migrations` handed in."""

from federation.storage.migrations import run

run()
