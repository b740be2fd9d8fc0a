"""The federation's endpoints at this site. Each view is a few lines: receive, one use case, answer."""
