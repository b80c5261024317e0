"""Command line of the stages that work on one trained model: MODEL SEED."""

import argparse

from cifar10 import params
from cifar10.params import Params


def parse(description: str | None, epilog: str | None = None) -> tuple[Params, str, int]:
    """Read the command line and params.yaml.

    Returns:
        The parameters, the name of a model and a seed, both of params.yaml.

    Raises:
        UserError: params.yaml is invalid or names no such model or seed.
    """
    parser = argparse.ArgumentParser(description=description, epilog=epilog)
    parser.add_argument("model", help="name of an entry under `models` in params.yaml")
    parser.add_argument("seed", help="one of `train.seeds` in params.yaml")
    arguments, chosen = parser.parse_args(), params.load()
    chosen.model(arguments.model)
    return chosen, arguments.model, chosen.seed(arguments.seed)
