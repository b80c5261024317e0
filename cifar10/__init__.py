"""Library shared by the stages. Importing it pins the floating-point arithmetic of NumPy and TensorFlow."""

from cifar10 import arithmetic

arithmetic.pin()
