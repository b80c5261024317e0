"""Write trained models into a folder without subfolders, for a static web server or a release.

`cifar10-classify --models` reads the folder or its URL. The folder is complete or does not exist.
"""

import argparse
import shutil
import sys
import tempfile
from itertools import product
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from cifar10 import errors, files, params, paths, progress, yaml_text
from cifar10.app import provenance
from cifar10.errors import UserError
from cifar10.predict import model_folder

README = """# Trained models of cifar10-compared

Data: {data}. Origin: {revision}. Models: {models}; seeds: {seeds}.

`sha256sum --check {sums}` checks the files. Use them with the wheel of the project:

    cifar10-classify --models FOLDER-OR-URL photo.jpg
"""


def main() -> None:
    """Check the models, write the folder, print its files."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "target", type=Path, help="new folder, or an earlier output of this command, which is replaced"
    )
    parser.add_argument(
        "--model", action="append", default=[], metavar="NAME", help="repeatable; default: all"
    )
    parser.add_argument("--seed", action="append", default=[], metavar="N", help="repeatable; default: all")
    options = parser.parse_args()
    chosen = params.load()
    for name in options.model:
        chosen.model(name)
    names = [name for name in chosen.models if not options.model or name in options.model]
    wanted = {chosen.seed(seed) for seed in options.seed}
    seeds = [seed for seed in chosen.train.seeds if not wanted or seed in wanted]
    target = options.target
    _check_target(target)
    _check_models(names, seeds)
    origin = provenance.find(names, seeds)
    if origin.changed:
        raise errors.StaleError(
            f"the models no longer fit {', '.join(origin.changed)}: run `make repro` first"
        )
    if origin.changed is None:
        progress.log("warning: cannot check whether the models fit params.yaml and the code")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}.tmp", dir=target.parent) as temporary:
        folder = Path(temporary) / "models"
        _write(folder, names, seeds, {"data": origin.data, "revision": origin.revision})
        if target.exists():
            shutil.rmtree(target)
        folder.rename(target)
    for path in sorted(target.iterdir()):
        print(f"{path.stat().st_size:>12,}  {path}")


def _check_target(target: Path) -> None:
    if not target.exists() or (target / model_folder.SUMS).exists():
        return
    if not target.is_dir() or any(target.iterdir()):
        raise UserError(f"{target}: expected a new or empty folder, found other files: choose another one")


def _check_models(names: list[str], seeds: list[int]) -> None:
    for each in product(names, seeds):
        for path in (paths.model(*each), paths.ood_detector(*each)):
            if not path.exists():
                raise UserError(f"{path} not found: run `make pull` or `dvc repro`")


def _write(folder: Path, names: list[str], seeds: list[int], about: dict[str, str]) -> None:
    folder.mkdir()
    there = model_folder.published(folder)
    for each in product(names, seeds):
        shutil.copyfile(paths.model(*each), there.model(*each))
        shutil.copyfile(paths.ood_detector(*each), there.ood_detector(*each))
    files.write_text(there.params, yaml_text.dump(_part(names, seeds)))
    files.write_json(folder / model_folder.ABOUT, about)
    facts = {"models": ", ".join(names), "seeds": ", ".join(map(str, seeds)), "sums": model_folder.SUMS}
    files.write_text(folder / "README.md", README.format(**about, **facts))
    sums = [f"{model_folder.sha256(path)}  {path.name}\n" for path in sorted(folder.iterdir())]
    files.write_text(folder / model_folder.SUMS, "".join(sums))


def _part(names: list[str], seeds: list[int]) -> dict[str, Any]:
    """Return params.yaml without the other models and seeds, and without names of the owner's own files."""
    content = yaml_text.read(paths.PARAMS)
    content["data"] |= {"folder": "data/pictures", "exclude": [], "labels": None, "groups": None}
    content["models"] = {name: content["models"][name] for name in names}
    for entry in content["models"].values():
        for base in (entry.get("base") or {}).values():
            if base["weights"]:  # a path; the .h5 file of the model holds the weights
                base["weights"] = Path(base["weights"]).name
    content["train"]["seeds"] = seeds
    if mirror := content.get("predict", {}).get("mirror"):
        content["predict"]["mirror"] = [name for name in mirror if name in names]
    return content


if __name__ == "__main__":
    errors.run(main)
