"""Compare two revisions of this repository."""
