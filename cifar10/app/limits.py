"""How much the page takes. The pixels of a picture are limited by `images.read`."""

MAX_BYTES = 40_000_000  # of one picture's file: what the largest photographs take
MOST = 200  # pictures in one go
