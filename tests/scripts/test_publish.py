"""The parameters of published models name no files of their owner."""

import yaml

from cifar10 import params, paths, yaml_text
from scripts import publish
from tests.plausible import ROOT


def test_paths_of_the_owner_are_not_published(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    content = yaml.safe_load((ROOT / "params.yaml").read_text())
    own = {"folder": "secret/x", "exclude": ["secret.png"], "labels": "secret.csv", "groups": "secret-(.)"}
    content["data"] |= {"source": "folder", "image_size": [40, 64], **own}
    layers = [{"Dense": {"units": "num_classes", "activation": "softmax"}}]
    for name, weights in (("file", "secret/w.h5"), ("ours", "imagenet"), ("none", None)):
        option = {"weights": weights, **({"sha256": "0" * 64} if name == "file" else {})}
        base = {"EfficientNetLite0" if name == "ours" else "MobileNetV2": option}
        content["models"][name] = {"optimizer": {"SGD": {}}, "base": base, "layers": layers}
    paths.PARAMS.write_text(yaml.safe_dump(content, sort_keys=False))
    text = yaml_text.dump(publish._part(["file", "ours", "none"], [0]))
    assert "secret" not in text
    chosen = params.parse(text)
    assert chosen.data.size == (40, 64)
    assert [chosen.model(name).base.weights for name in ("file", "ours", "none")] == [
        "w.h5",
        "imagenet",
        None,
    ]
