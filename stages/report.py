"""Draw the figures and write the results table and the report from what the other stages left."""

import argparse
import sys
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # this checkout's library, installed or not
from cifar10 import cards, errors, files, pages, params, paths, plots, progress, results


def draw(found: results.Results, seed: int) -> dict[str, Figure]:
    """Draw every figure, by file name; `seed` picks the images that are shown."""
    train, train_labels = results.pictures("train")
    test, test_labels = results.pictures("test")
    names = found.classes
    histories = {model.name: model.history for model in found.models}
    figures = {
        "samples.png": plots.samples(train, train_labels, names, seed),
        "accuracy.png": plots.curves(histories, "accuracy"),
        "loss.png": plots.curves(histories, "loss"),
        "class_accuracy.png": plots.class_accuracy(results.class_accuracy(found), names),
        "reliability.png": plots.reliability(
            {model.name: model.probabilities for model in found.models}, test_labels
        ),
    }
    scores, rejection = ({m.name: getattr(m, what) for m in found.models} for what in ("scores", "rejection"))
    figures["novelty.png"] = plots.novelty(scores, rejection)
    picked = np.random.default_rng(seed).permutation(len(test))[: plots.SHOWN]
    for model in found.models:
        counts = results.confusion(found.actual, model.predicted, len(names))
        figures[f"confusion_{model.name}.png"] = plots.confusion(counts, names, model.name)
        confidence = model.probabilities.max(axis=1)[picked]
        figures[f"predictions_{model.name}.png"] = plots.predictions(
            test[picked], test_labels[picked], model.predicted[picked], confidence, names, model.name
        )
    return figures


def write_figures(figures: dict[str, Figure]) -> dict[str, bytes]:
    """Save the figures as PNG, delete those of models that are no more, and return the files' bytes."""
    for stale in {path for path in paths.FIGURES.glob("*.png") if path.name not in figures}:
        stale.unlink()
    for name, figure in figures.items():
        with files.replacing(paths.FIGURES / name) as beside:
            plots.save(figure, beside)
    return {name: (paths.FIGURES / name).read_bytes() for name in figures}


def main() -> None:
    """Read what the other stages wrote, write all of the report."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    chosen = params.load()
    found = results.load([*chosen.models])
    figures = write_figures(draw(found, chosen.report.seed))
    files.write_text(paths.CURVES, results.curves(found.models).to_csv(index=False, lineterminator="\n"))
    files.write_text(paths.CONFUSION, results.confusion_table(found).to_csv(index=False, lineterminator="\n"))
    files.write_json(paths.DATASET, found.dataset)
    files.write_text(paths.RESULTS, pages.markdown(found, chosen))
    cards.write(found, chosen)
    files.write_text(paths.REPORT, pages.html(found, chosen, figures))
    progress.log(
        f"{paths.REPORT}: {len(found.models)} models, {len(figures)} figures; the table: {paths.RESULTS}"
    )


if __name__ == "__main__":
    errors.run(main)
