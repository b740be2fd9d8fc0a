"""Published attacks as generated messages. Each is refused, and for the reason it should be."""
