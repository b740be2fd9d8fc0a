"""The pages. Each view reads the request, calls one use case, and shows the outcome."""
