"""The use cases. No service sees a request: each takes a database session, values and a time."""
