"""PATCH (RFC 7644 3.5.2): reading a PatchOp, and applying it to a document.

Members of a group are rows, so what a PatchOp says of them is handed out as `MemberChange` and never read, changed and
written back. Beyond the standard's text, because clients send it: operations in any letter case, no path with dotted
and URN keys in the value, texts for booleans, and `remove` with a `value`. The last removes the values it names and
nothing else: read by the letter it would empty the whole group.
"""

from federation.scim.patch.application import apply
from federation.scim.patch.reading import MemberAction, MemberChange, Patch, member_ids, read

__all__ = ["MemberAction", "MemberChange", "Patch", "apply", "member_ids", "read"]
