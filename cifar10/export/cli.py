"""Write a trained model for other programs: its graph, a JSON that describes it and an example program."""

from cifar10 import errors
from cifar10.export import arguments, folder, formats

# Slow imports are inside the functions, so that `--help` and usage errors are fast.


def run() -> None:
    """Run `main` as a command."""
    errors.run(main)


def main() -> None:
    """Export a model, compare the export with the model, print the result."""
    options = arguments.parser(__doc__).parse_args()
    from cifar10 import params

    chosen = params.load()
    chosen.model(options.model)
    if options.seed is not None:
        chosen.seed(options.seed)
    formats.check(options.format, options.quantize)
    target = arguments.folder(options)
    folder.check(target, options.force)

    # before TensorFlow: `tensorflow_setup` hides modules that these need
    from cifar10.evaluation import predictions  # noqa: F401
    from cifar10.training import tensorflow_setup

    with tensorflow_setup.tensorflow():
        from cifar10.training import models

        models.make_deterministic(seed=0)  # the same bits as `evaluate`
    from cifar10.export import exporter

    int8 = options.quantize == "int8"
    lines = exporter.export(chosen, options.model, options.format, target, options.seed, int8)
    print("\n".join(lines), flush=True)


if __name__ == "__main__":
    run()
