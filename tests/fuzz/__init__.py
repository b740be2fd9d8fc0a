"""Coverage-guided fuzzing of everything that reads what strangers send: `make fuzz` (FUZZ_SECONDS=60 for each target).

`targets` has one function for each parser, `corpus/` what each starts from, kept in the repository; `__main__` runs
them, two at a time, and leaves what it finds in build/fuzz.
"""
