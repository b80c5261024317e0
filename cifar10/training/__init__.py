"""Build and train the networks. Every training depends on every file of this folder."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # TensorFlow and Keras read both once
os.environ["KERAS_BACKEND"] = "tensorflow"
