"""Build and train the networks. Every training depends on all of this folder."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # both are read once, when TensorFlow is imported
os.environ["KERAS_BACKEND"] = "tensorflow"
