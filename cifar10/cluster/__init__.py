"""Train on the machines of a dask cluster; results arrive through the DVC remote. See docs/cluster.md."""
