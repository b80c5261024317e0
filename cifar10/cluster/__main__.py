"""Train stale models, or a sweep over parameters, on the workers of a dask cluster."""

import argparse
from pathlib import Path

from cifar10 import errors, files, git, params, paths, progress
from cifar10.errors import UserError


def main() -> None:
    """Check the conditions, distribute the trainings, then run `dvc repro` or write the sweep's table."""
    arguments = _parse()
    params.load()  # a fault of the file comes before all others
    try:
        from cifar10.cluster import checks, driver, sweep  # imported here, so that --help is fast
        from cifar10.cluster.task import TrainingJob
    except ModuleNotFoundError as error:
        raise UserError(f"no module {error.name}: pip install -e '.[cluster]'") from None

    points = sweep.points(arguments.set)
    commit = checks.commit(arguments.output)
    git_url = checks.git_url(arguments.git_url, commit)
    remote, remote_url = checks.remote()
    with driver.connect(arguments.scheduler) as client:
        checks.publish_images(remote_url)
        stale = None if arguments.set else driver.stale()
        jobs = {
            TrainingJob(
                point.model,
                point.seed,
                point.label,
                git_url,
                commit,
                remote,
                remote_url,
                parameters=point.parameters if arguments.set else None,
                subfolder=git.prefix(),
                measure=bool(arguments.set),
            ): point
            for point in points
            if stale is None or (point.model, point.seed) in stale
        }
        results = {jobs[job]: metrics for job, metrics in driver.spread(client, list(jobs))}
    if arguments.set:
        text = sweep.table((point, results[point]) for point in jobs.values())
        files.write_text(arguments.output, text)
        print(text)
    else:
        trained = driver.finish()
        progress.log(f"trained on the cluster: {len(jobs)}, here: {len(trained)}")


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m cifar10.cluster", description=__doc__)
    parser.add_argument("--scheduler", required=True, metavar="URL", help="dask scheduler: tcp://host:8786")
    parser.add_argument(
        "--set",
        nargs="+",
        action="extend",
        default=[],
        metavar="KEY=VALUE,...",
        help="one training per model, seed and value, such as 'train.seeds=[1,2,3]'; "
        "several keys give all combinations",
    )
    parser.add_argument("--git-url", metavar="URL", help="what workers clone (default: git's remote origin)")
    parser.add_argument(
        "--output",
        type=Path,
        default=paths.REPORTS / "sweep.md",
        help="file for the table of a sweep (default: %(default)s)",
    )
    return parser.parse_args()


if __name__ == "__main__":
    errors.run(main)
