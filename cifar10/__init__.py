"""The library that the stages share. Importing it pins the arithmetic of NumPy and TensorFlow."""

from cifar10 import arithmetic

arithmetic.pin()
