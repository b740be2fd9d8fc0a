"""The same messages before us and two other implementations: every difference has a rule of ours behind it.

`python -m tests.differential` prints, beside our rule and the count, who differed; the repository records only rule and
count (`recorded.json`).
"""
