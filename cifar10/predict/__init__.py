"""Ask trained models about new images."""
