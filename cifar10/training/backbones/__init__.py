"""Pretrained networks that a model of params.yaml can begin with: `base`."""
