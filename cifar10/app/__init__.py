"""A page in the browser that asks the trained models about new images."""
