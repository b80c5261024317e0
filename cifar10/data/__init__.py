"""Images: download, read, split, save and load."""
