"""Limits of the web service. docs/app.md lists them."""

MAX_BODY = 50_000_000  # bytes of a request
MAX_FILES = 200  # pictures per request
MAX_BYTES = 40_000_000  # bytes of one picture's file; the largest photographs have this size
MAX_PIXELS = 89_478_485  # pixels of one picture, Pillow's own limit
SECONDS = 60.0  # from the start of a request to its answer
REQUESTS = 16  # requests whose pictures are in memory at once
