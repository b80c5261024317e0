"""Train on the workers of a dask cluster what is stale here, or a sweep over parameters."""

import argparse
from pathlib import Path

from cifar10 import errors, files, params, paths, progress
from cifar10.errors import UserError


def main() -> None:
    """Check that all can start, spread the trainings, end in `dvc repro` or in the sweep's table."""
    arguments = _parse()
    settings = params.load()
    try:
        from cifar10.cluster import head, sweep, task  # here: they load dask and DVC, --help need not wait
    except ModuleNotFoundError as error:
        raise UserError(f"no module {error.name}: pip install -e '.[cluster]'") from None

    points = sweep.points(arguments.set)
    commit = head.revision(arguments.output)
    origin = head.origin(arguments.origin, commit)
    remote, url = head.remote()
    with head.connect(arguments.scheduler) as client:
        head.publish_images(url)
        wanted = {point.model for point in points} if arguments.set else head.stale(list(settings.models))
        chosen = [point for point in points if point.model in wanted]
        orders = {
            task.Order(
                point.model,
                point.label,
                origin,
                commit,
                remote,
                url,
                "",
                point.parameters if arguments.set else None,
                bool(arguments.set),
            ): point
            for point in chosen
        }
        results = {orders[order]: metrics for order, metrics in head.spread(client, list(orders))}
    if arguments.set:
        text = sweep.table((point, results[point]) for point in chosen)
        files.write_text(arguments.output, text)
        print(text)
    else:
        trained = head.finish()
        progress.log(f"trained on the cluster: {len(orders)}, here: {len(trained)}")


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m cifar10.cluster", description=__doc__)
    parser.add_argument("--scheduler", required=True, metavar="URL", help="dask scheduler: tcp://host:8786")
    parser.add_argument(
        "--set",
        nargs="+",
        action="extend",
        default=[],
        metavar="KEY=VALUE,...",
        help="one training per model and value, as train.seed=1,2,3; several keys give their grid",
    )
    parser.add_argument("--origin", metavar="URL", help="what workers clone (default: git's remote origin)")
    parser.add_argument(
        "--output",
        type=Path,
        default=paths.REPORTS / "sweep.md",
        help="where the table of a sweep goes (default: %(default)s)",
    )
    return parser.parse_args()


if __name__ == "__main__":
    errors.run(main)
