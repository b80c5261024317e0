"""The images: fetched, read, divided, loaded."""
