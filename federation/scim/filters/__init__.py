"""The filter language (RFC 7644 3.4.2.2): text, tokens, a tree bound to attributes, an answer for one resource."""

from federation.scim.filters.evaluation import comparison_key, evaluate, matches
from federation.scim.filters.parser import PatchPath, parse_filter, parse_path
from federation.scim.filters.tree import And, Comparison, Filter, Never, Not, Or, Present, ValuePath

__all__ = [
    "And",
    "Comparison",
    "Filter",
    "Never",
    "Not",
    "Or",
    "PatchPath",
    "Present",
    "ValuePath",
    "comparison_key",
    "evaluate",
    "matches",
    "parse_filter",
    "parse_path",
]
