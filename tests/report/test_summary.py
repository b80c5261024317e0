"""The metrics that DVC compares: as many for two classes as for a hundred."""

import json

import yaml

from cifar10 import params, paths
from cifar10.report import results
from tests import plausible
from tests.scratch import ROOT


def columns(content, above=""):
    """List the columns of `dvc metrics diff` for a JSON file."""
    if not isinstance(content, dict):
        return [above]
    return [name for key, value in content.items() for name in columns(value, f"{above}.{key}")]


def measured(folder, classes):
    """Return the columns of the metrics of one model of invented results."""
    with plausible.inside(plausible.write(folder, classes=classes, images=200, skills={"a": 3.0})):
        found = results.load(["a"], params.load().train.seeds)
        return columns(json.loads(json.dumps(found.models[0].metrics)))


def test_no_column_is_that_of_a_class(tmp_path):
    few = measured(tmp_path / "few", ["owl", "bat"])
    many = measured(tmp_path / "many", [f"class {number}" for number in range(50)])
    assert few == many
    assert not [name for name in many if "class" in name]


def test_dvc_lists_no_other_file_as_metrics():
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())
    listed = [each for stage in stages["stages"].values() for each in stage.get("metrics", [])]
    assert listed == [{paths.METRICS.as_posix(): {"cache": False}}]
    assert "metrics" not in stages
