"""Check in half a minute, before a long run, whether this machine gives the recorded bytes.

The script computes single operations and trains each model of params.yaml on embedded images. It compares
the hashes of the results with the machines in reports/fingerprints.json.
"""

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from rich.console import Console
from rich.table import Table

from cifar10 import arithmetic, commands, errors, files, machine, params
from cifar10.errors import UserError

RECORDS = Path("reports/fingerprints.json")
PARTS = ("start", "epoch", "answers")
MEANING = "Accuracies still agree within the spread, not bit for bit: docs/reproducibility.md."
console = Console(highlight=False, soft_wrap=True)


@dataclass(frozen=True)
class Verdict:
    """Comparison of the hashes of this machine with one recorded machine.

    `operations` and `models` have a row per hash: True if equal, False if different, None if not recorded.
    """

    record: dict[str, Any]
    operations: dict[str, bool | None]
    models: dict[str, bool | None]

    @property
    def rows(self) -> dict[str, bool | None]:
        """All rows, operations first."""
        return self.operations | self.models


def main() -> None:
    """Compare this machine with the records, or record it."""
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    parser.add_argument(
        "--record", action="store_true", help=f"add this machine to {RECORDS}, or update its record"
    )
    arguments = parser.parse_args()
    kept = records()  # a damaged file is named before the computation
    if arguments.record:
        record([fingerprint(), fingerprint("--fastest")], kept)  # AVX2 at most, and all instructions
    else:
        sys.exit(verify(fingerprint(*([] if params.load().train.portable else ["--fastest"])), kept))


def record(found: list[dict[str, Any]], kept: list[dict[str, Any]]) -> None:
    """Record this machine.

    Args:
        found: its fingerprints, one per instruction set.
        kept: the recorded machines.
    """
    entry = {
        **identity(found[0]),
        "fingerprints": {run["arithmetic"]["instructions"]: _hashes(run) for run in found},
    }
    others = [other for other in kept if _key(other) != _key(entry)]
    before = next((own for own in kept if _key(own) == _key(entry)), None)
    outdated = changed(before["fingerprints"], entry["fingerprints"]) if before else []
    if outdated and others:
        console.print(
            f"The code gives other bytes than when this machine was recorded: {', '.join(outdated)}. These "
            f"hashes of other machines are outdated and deleted; machines: {len(others)}. Record them again."
        )
        for other in others:
            remove(outdated, other["fingerprints"])
    files.write_json(RECORDS, sorted([*others, entry], key=lambda one: json.dumps(_key(one))))
    console.print(f"{RECORDS}: recorded {title(entry)}")


def changed(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Name the operations and models whose hashes differ between two records of a machine, each once."""
    found: list[str] = []
    for instructions in before.keys() & now.keys():
        operations, models = compare(before[instructions], now[instructions])
        found += [*different(operations), *(row.rpartition(", ")[0] for row in different(models))]
    return sorted({*found})


def remove(names: list[str], fingerprints: dict[str, Any]) -> None:
    """Delete operations and models from the fingerprints of a machine, for each instruction set."""
    for hashes in fingerprints.values():
        for name in names:
            hashes["operations"].pop(name, None)
            hashes["models"].pop(name, None)


def verify(run: dict[str, Any], kept: list[dict[str, Any]]) -> int:
    """Compare this machine with the records and print the result.

    Args:
        run: the fingerprint of this machine.
        kept: the recorded machines.

    Returns:
        The exit code: 1 if an equal machine has other hashes.
    """
    here, instructions = identity(run), run["arithmetic"]["instructions"]
    console.print(f"This machine: {title(here)}")
    console.print(f"Arithmetic: {arithmetic.describe(run['arithmetic'])}, {_versions(here['versions'])}")
    device = params.load().train.device
    note = "" if device == "cpu" else ". This check is about the CPU, which evaluates; a GPU has other bytes"
    console.print(f"Device of trainings: {device}{note}")
    comparable = [each for each in kept if _comparable(each, here, instructions)]
    verdicts = [
        Verdict(each, *compare(each["fingerprints"][instructions], _hashes(run))) for each in comparable
    ]
    if not verdicts:
        console.print(
            f"{RECORDS} has no machine with this system, these instructions and these versions: nothing to "
            f"compare with. `make verify RECORD=1` adds this one. {MEANING}"
        )
        return 0
    for number, verdict in enumerate(verdicts, 1):
        console.print(f"Recorded machine {number}: {title(verdict.record)}")
    console.print(table(verdicts))
    alike = [verdict for verdict in verdicts if _key(verdict.record) == _key(here)]
    return conclude(verdicts, alike)


def conclude(verdicts: list[Verdict], alike: list[Verdict]) -> int:
    """Print the conclusion of the comparison; return the exit code.

    Args:
        verdicts: for all comparable machines.
        alike: for machines with the same processor, flags and versions as this one.
    """
    unknown = [
        name for name in verdicts[0].models if all(verdict.models[name] is None for verdict in verdicts)
    ]
    if unknown:
        console.print(
            f"Not recorded as params.yaml has it: {', '.join(unknown)}; `make verify RECORD=1` records it."
        )
    for number, verdict in enumerate(verdicts, 1):
        if other := different(verdict.models):
            first = different(verdict.rows)[0]
            console.print(f"Machine {number} gave other bytes for {other[0]}. The first difference: {first}.")
        elif other := different(verdict.operations):
            console.print(
                f"Machine {number} gave the same models but computes otherwise: {', '.join(other)}. "
                "A layer that uses one of these would give other bytes."
            )
    if not any(different(verdict.models) for verdict in verdicts):
        console.print("This machine gives the recorded bytes.")
    else:
        console.print(MEANING)
    if any(different(verdict.rows) for verdict in alike):
        console.print(
            "A machine with this processor, these flags and versions gave other bytes: either the code has "
            "changed since (then `make verify RECORD=1`), or something here computes otherwise."
        )
        return 1
    return 0


def different(rows: dict[str, bool | None]) -> list[str]:
    """Name the rows that differ."""
    return [name for name, same in rows.items() if same is False]


def compare(
    theirs: dict[str, Any], ours: dict[str, Any]
) -> tuple[dict[str, bool | None], dict[str, bool | None]]:
    """Compare the hashes of operations, and the hashes `start`, `epoch` and `answers` of each model."""
    known = theirs["operations"]
    operations = {
        name: known[name] == value if name in known else None for name, value in ours["operations"].items()
    }
    models: dict[str, bool | None] = {}
    for name, hashes in ours["models"].items():
        other = theirs["models"].get(name, {})
        same = other.get("definition") == hashes["definition"]
        models |= {f"{name}, {part}": other[part] == hashes[part] if same else None for part in PARTS}
    return operations, models


def fingerprint(*options: str) -> dict[str, Any]:
    """Run scripts/fingerprint.py in its own process, because the arithmetic is chosen at the start."""
    with console.status("computing"):
        script = Path(__file__).with_name("fingerprint.py")
        try:
            printed = commands.output(sys.executable, str(script), *options)
        except UserError as error:
            raise UserError(f"no fingerprint: {error}") from None
    return dict(json.loads(printed.splitlines()[-1]))


def identity(run: dict[str, Any]) -> dict[str, Any]:
    """Return the facts that can affect the bytes: processor, flags, system, versions."""
    described = machine.describe()
    return {
        "processor": described["processor"],
        "vendor": described["vendor"],
        "flags": described["flags"],
        "system": run["arithmetic"]["system"],
        "oneDNN": run["arithmetic"]["oneDNN"],
        "versions": run["arithmetic"]["versions"],
    }


def records() -> list[dict[str, Any]]:
    """Read the recorded machines.

    Raises:
        UserError: the file is damaged.
    """
    try:
        return list(files.read_json(RECORDS))
    except FileNotFoundError:
        return []
    except ValueError as error:
        raise UserError(f"{RECORDS} is damaged ({error}): `git checkout {RECORDS}`") from None


def table(verdicts: list[Verdict]) -> Table:
    """Format the comparison: a row per operation and per hash of a model, a column per machine."""
    words = {True: "same", False: "[bold red]different[/]", None: "not recorded"}
    drawn = Table("", *(f"machine {number}" for number in range(1, len(verdicts) + 1)))
    for name in verdicts[0].rows:
        drawn.add_row(name, *(words[verdict.rows[name]] for verdict in verdicts))
    return drawn


def title(kept: dict[str, Any]) -> str:
    """Describe a machine on one line."""
    return f"{kept['processor']}, {' '.join(kept['flags']) or 'flags unknown'}, {kept['system']}"


def _hashes(run: dict[str, Any]) -> dict[str, Any]:
    return {"operations": run["operations"], "models": run["models"]}


def _key(kept: dict[str, Any]) -> list[Any]:
    return [kept[name] for name in ("vendor", "processor", "flags", "system", "oneDNN", "versions")]


def _comparable(kept: dict[str, Any], here: dict[str, Any], instructions: str) -> bool:
    same = all(kept[name] == here[name] for name in ("system", "oneDNN", "versions"))
    return same and instructions in kept["fingerprints"]


def _versions(versions: dict[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in versions.items())


if __name__ == "__main__":
    errors.run(main)
