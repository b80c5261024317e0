"""The library that the pipeline's stages share. It knows no stage and does nothing on import."""
