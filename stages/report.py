"""Summarize the seeds of each model, draw the figures, write results, model cards and the report."""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # use the package of this checkout
from cifar10 import files, leftovers, params, paths, progress, stage_process
from cifar10.report import figure_list, label_candidates, model_cards, plots, render, results

# isort: split
from matplotlib.figure import Figure


def write_figures(drawn: dict[str, Figure]) -> dict[str, bytes]:
    """Save the figures as PNG, delete the figures of removed models, and return the content of the files."""
    for stale in {path for path in paths.FIGURES.glob("*.png") if path.name not in drawn}:
        stale.unlink()
    for name, figure in drawn.items():
        with files.replacing(paths.FIGURES / name) as beside:
            plots.save(figure, beside)
    return {name: (paths.FIGURES / name).read_bytes() for name in drawn}


def tidy() -> None:
    """Delete the results of models and seeds that params.yaml does not name: the others are the inputs."""
    chosen = params.load()
    leftovers.remove([*chosen.models], chosen.train.seeds)


def main() -> None:
    """Read the outputs of the other stages, and write the report."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    chosen = params.load()
    found = results.load([*chosen.models], chosen.train.seeds)
    drawn = write_figures(figure_list.draw(found, chosen))
    for model in found.models:
        files.write_json(paths.metrics(model.name), model.metrics)
    files.write_text(paths.CURVES, results.curves(found.models).to_csv(index=False, lineterminator="\n"))
    files.write_text(paths.CONFUSION, results.confusion_table(found).to_csv(index=False, lineterminator="\n"))
    doubtful = label_candidates.of(found).table
    files.write_text(paths.LABEL_CANDIDATES, doubtful.to_csv(index=False, lineterminator="\n"))
    files.write_json(paths.DATASET, found.dataset)
    files.write_text(paths.RESULTS, render.markdown(found, chosen))
    model_cards.write(found, chosen)
    files.write_text(paths.REPORT, render.html(found, chosen, drawn))
    progress.log(
        f"{paths.REPORT}: {len(found.models)} models, {len(drawn)} figures; the table: {paths.RESULTS}"
    )


if __name__ == "__main__":
    stage_process.run(main, before=tidy)
