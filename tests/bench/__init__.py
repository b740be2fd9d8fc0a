"""How fast it is, as ratios to the bare cryptography measured in the same run: `python -m tests.bench [--check]`."""
