"""Decode pictures: `images` reads them through these modules."""
