"""Trainings on the machines of a dask cluster, results through the DVC remote; see docs/cluster.md."""
