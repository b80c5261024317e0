"""Verdicts about the models that both sides have: whether chance can explain a difference."""

from dataclasses import dataclass

from cifar10.compare import changed, diff
from cifar10.compare.accuracy import Move, moves
from cifar10.compare.changed import Kind
from cifar10.compare.correct import UntestableError, correct
from cifar10.compare.paired import Paired, paired_tests
from cifar10.compare.revision_results import RevisionResults
from cifar10.compare.spread import Interval, interval

UNKNOWN = "one training: the spread over seeds is unknown"


@dataclass(frozen=True)
class Verdicts:
    """Verdicts about the models that both sides have.

    Attributes:
        kinds: what differs, by model.
        moves: difference in test accuracy of each changed model with several trainings on both sides.
        files: McNemar's test of each changed model with one training on a side.
        untested: reason for each changed model without a test.
        spreads: interval of other changed metrics, by model and metric.
    """

    kinds: dict[str, Kind]
    moves: dict[str, Move]
    files: dict[str, Paired]
    untested: dict[str, str]
    spreads: dict[tuple[str, str], Interval]

    def of(self, kind: Kind) -> list[str]:
        """List the models of a kind."""
        return [name for name, found in self.kinds.items() if found is kind]

    def word(self, model: str, metric: str) -> str:
        """Return the verdict about a metric of a model, "" if there is none."""
        if self.kinds.get(model) is Kind.SEEDS:
            return Kind.SEEDS.value
        if metric != diff.ACCURACY:
            found = self.spreads.get((model, metric))
            if found is None:
                return ""
            return "within the spread over seeds" if found.explained else "more than seeds explain"
        if model in self.files:
            return UNKNOWN
        return self.moves[model].verdict if model in self.moves else ""


def verdicts(before: RevisionResults, after: RevisionResults) -> Verdicts:
    """Compare every model that both sides have; see `Verdicts`."""
    kinds = {name: changed.kind(before, after, name) for name in changed.kept(before, after)}
    several, single, seeds, untested = {}, {}, {}, {}
    for name in (name for name, kind in kinds.items() if kind is Kind.CHANGED):
        try:
            found = correct(before, after, name)
        except UntestableError as error:
            untested[name] = str(error)
            continue
        if min(map(len, found)) > 1:
            several[name] = found
        else:
            single[name] = (found[0][0], found[1][0])
            first, second = changed.needed_seeds(before, after, name)
            seeds[name] = (first[0], second[0])
    tested = {pair.model: pair for pair in paired_tests(single, seeds)}
    return Verdicts(kinds, moves(several), tested, untested, _spreads(before, after, kinds))


def _spreads(
    before: RevisionResults, after: RevisionResults, kinds: dict[str, Kind]
) -> dict[tuple[str, str], Interval]:
    """Compute the intervals of all metrics but accuracy, of models that changed on the same test images."""
    names = [
        name
        for name, kind in kinds.items()
        if kind is Kind.CHANGED
        and name in before.metrics
        and name in after.metrics
        and not changed.other_images(before, after, name)
    ]
    found = {
        (row.model, row.metric): interval(
            row.before,
            row.after,
            (before.metrics[row.model]["seeds"], after.metrics[row.model]["seeds"]),
            len(names),
        )
        for row in diff.metric_rows(before, after)
        if row.model in names and row.metric != diff.ACCURACY and row.gap
    }
    return {key: limits for key, limits in found.items() if limits}
