"""Classify new images with trained models."""
