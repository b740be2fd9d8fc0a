"""The `federation` command: argument parsing and output only."""
