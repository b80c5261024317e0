"""Compute the tables of the benchmark from the measurements of run.py."""

from typing import Any

NAMES = {
    "notebook": "baseline notebook (Keras fit)",
    "notebook_onednn": "baseline notebook, oneDNN on",
    "pipeline": "this pipeline",
    "pipeline_fastest": "this pipeline, portable: false",
    "pytorch": "plain PyTorch",
}


def name(side: str, report: dict[str, Any]) -> str:
    """Return the name of a side; `portable: true` is added only if `portable: false` was measured, too."""
    suffix = ", portable: true" if side == "pipeline" and "pipeline_fastest" in report["sides"] else ""
    return f"{NAMES[side]}{suffix}"


def rows(report: dict[str, Any]) -> list[dict[str, Any]]:
    """Compute a row per side: seconds, ratios to the notebook, images/s, share of the peak, memory in bytes.

    `ratio_onednn` exists if the notebook was also measured with oneDNN on.
    """
    chosen, peak, sides = report["settings"], report["peak"], report["sides"]
    images = chosen["images"] * chosen["epochs"]
    work = images * sum(peak["flops_per_image"][model] for model in chosen["models"])
    references = {"ratio": "notebook", "ratio_onednn": "notebook_onednn"}
    return [
        {
            "side": key,
            "name": name(key, report),
            "seconds": side["seconds"],
            **{
                column: side["seconds"] / sides[reference]["seconds"]
                for column, reference in references.items()
                if reference in sides
            },
            "rate": images * len(chosen["models"]) / side["seconds"],
            "share": work / side["seconds"] / peak["flops_per_second"],
            "peak_bytes": side["peak_bytes"],
        }
        for key, side in sides.items()
    ]


def steps(report: dict[str, Any]) -> list[dict[str, Any]]:
    """Compute a row per pipeline and model: bytes, milliseconds, bytes/s, share of the bandwidth."""
    one = report["peak"]["triad_bytes_per_second"]["1"]
    return [
        {
            "model": model,
            "name": name(side, report),
            "bytes": step["bytes"],
            "milliseconds": 1000 * step["seconds"],
            "rate": step["bytes"] / step["seconds"],
            "share": step["bytes"] / step["seconds"] / one,
        }
        for side, models in report["steps"].items()
        for model, step in models.items()
    ]
