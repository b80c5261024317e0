"""Names of the stages of a trained model: `train@NAME-SEED` and `evaluate@NAME-SEED`.

The cluster sends this module to its workers, so it imports only the standard library.
"""


def stage(kind: str, model: str, seed: int) -> str:
    """Return the name that DVC gives to a stage; `kind` is `train` or `evaluate`."""
    return f"{kind}@{model}-{seed}"


def split(name: str) -> tuple[str, int]:
    """Return model and seed of a stage, from its name."""
    model, _, seed = name.partition("@")[2].rpartition("-")
    return model, int(seed)


def label(model: str, seed: int) -> str:
    """Return what messages call a training."""
    return f"{model} seed {seed}"
