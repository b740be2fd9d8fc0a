"""The one outgoing HTTP client: bounded in time and size, and only to addresses that policy allows.

Everything that an administrator or a partner can make us fetch goes through here, so that an address in a document
never becomes a way into our own network (server-side request forgery):

- https, or plain http to a loopback address where the settings allow it (development);
- the host name is resolved once, every address it has is checked, and the connection goes to one that was checked;
- private, link-local and other special addresses are refused unless the settings name their network;
- a redirect is followed on the same scheme, host and port only (a GET of a document that proves itself may go
  elsewhere, under the same rules), and never turns a POST into a GET;
- one deadline for the whole exchange, and a body of bounded size that is never decompressed.
"""

from federation.http.addresses import Policy
from federation.http.client import Answer, Client
from federation.http.errors import Forbidden, OutgoingError, Unreachable
from federation.http.soap import BackChannel

__all__ = ["Answer", "BackChannel", "Client", "Forbidden", "OutgoingError", "Policy", "Unreachable"]
