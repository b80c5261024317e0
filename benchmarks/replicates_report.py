"""Write the results of benchmarks/replicates.py as JSON, Markdown and a chart in reports/."""

import math
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from benchmarks import replicates_chart, report_files
from cifar10 import paths

STEM = paths.REPORTS / "replicates"


def write(report: dict[str, Any]) -> None:
    """Write all three files and print the Markdown."""
    report_files.write(STEM, report, markdown(report), replicates_chart.chart(report))


def markdown(report: dict[str, Any]) -> str:
    """Write the tables and the conditions."""
    return "\n\n".join(["# Replicates", levels(report), powers(report)]) + "\n"


def levels(report: dict[str, Any]) -> str:
    """Write the false positives and the coverage, a row per setting; the JSON file has every value."""
    lines: list[str] = []
    for (accuracy, images, spreads), group in groupby(report["level"], _setting):
        rows = list(group)
        if not lines:
            numbers = [trainings(row["seeds"]) for row in rows]
            lines = [
                "| accuracy | test images | sd over trainings (points) "
                f"| {' | '.join(f'{number} trainings' for number in numbers)} "
                "| Satterthwaite's df | McNemar | coverage |",
                f"|{'---:|' * (len(rows) + 6)}",
            ]
        found = " | ".join(f"{row['false_positives']:.1%}" for row in rows)
        lines.append(
            f"| {accuracy:.1%} | {images:,} | {spreads} | {found} | {_worst_satterthwaite(rows):.1%} "
            f"| {rows[0]['mcnemar']:.1%} | {min(row['accuracy_coverage'] for row in rows):.1%} |"
        )
    error = math.sqrt(replicates_chart.LIMIT * (1 - replicates_chart.LIMIT) / report["level_repeats"])
    return "\n".join(lines) + (
        f"\n\nThree equal models, {report['level_repeats']:,} experiments per cell (Monte-Carlo standard "
        f"error {error:.2%} at 5 %). The columns with numbers of trainings give the false positives: "
        "experiments in which one of the three intervals of a difference, at 5 % for all pairs together, "
        "excludes 0. Satterthwaite's df: the most false positives with these degrees of freedom alone, from "
        "three trainings on. McNemar: false positives of the test with one training of each model. Coverage: "
        "the lowest share of 95 % intervals of an accuracy that include the true accuracy."
    )


def powers(report: dict[str, Any]) -> str:
    """Write the power and the coverage for a difference of one point, a row per setting."""
    lines: list[str] = []
    for (_, _, spreads), group in groupby(report["power"], _setting):
        rows = list(group)
        if not lines:
            numbers = " | ".join(f"{row['seeds']} trainings" for row in rows)
            lines = [
                f"| sd over trainings (points) | {numbers} | coverage | trainings for 80 % power |",
                f"|{'---:|' * (len(rows) + 3)}",
            ]
        found = " | ".join(f"{row['power']:.1%} ({row['predicted']:.1%})" for row in rows)
        lines.append(
            f"| {spreads} | {found} | {min(row['coverage'] for row in rows):.1%} "
            f"| {rows[0]['needed'] or 'too few test images'} |"
        )
    repeats, first = report["power_repeats"], report["power"][0]
    return "\n".join(lines) + (
        "\n\nPower, and in brackets its prediction from the variance components. Two models with true "
        f"accuracies of {first['accuracies'][0]:.0%} and {first['accuracies'][1]:.0%}, "
        f"{first['images']:,} test images, {repeats:,} experiments per cell (Monte-Carlo standard error at "
        f"most {math.sqrt(0.25 / repeats):.1%}). Coverage: the lowest share of intervals of the difference "
        "that include the true difference."
    )


def _setting(row: dict[str, Any]) -> tuple[float, int, str]:
    return row["accuracies"][0], row["images"], replicates_chart.points(row["spreads"])


def _worst_satterthwaite(rows: list[dict[str, Any]]) -> float:
    return max((row["welch_satterthwaite"] for row in rows if min(row["seeds"]) > 2), default=math.nan)


def trainings(seeds: Sequence[int]) -> str:
    """Write the number of trainings, once if it is the same for all models."""
    return ", ".join(map(str, seeds)) if len(set(seeds)) > 1 else str(seeds[0])
