"""Search for hyper-parameters with Optuna; each trial is a DVC experiment. See docs/experiments.md."""
