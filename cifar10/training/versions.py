"""Compare the installed libraries with versions.yaml, on which `train` and `evaluate` depend."""

import yaml

from cifar10 import arithmetic, paths
from cifar10.errors import UserError


def check_versions() -> None:
    """Refuse to compute with other versions than DVC records.

    Raises:
        UserError: versions.yaml is missing or damaged, or an installed version is another; says what to do.
    """
    try:
        recorded = yaml.safe_load(paths.VERSIONS.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{paths.VERSIONS} not found: `make lock` writes it") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{paths.VERSIONS} is not valid YAML: {' '.join(str(error).split())}") from None
    recorded = recorded if isinstance(recorded, dict) else {}
    other = [
        f"{name} {version} is installed, {paths.VERSIONS} has {recorded.get(name)}"
        for name, version in arithmetic.versions().items()
        if str(recorded.get(name)) != version
    ]
    if other:
        raise UserError(
            f"{'; '.join(other)}: `make install` brings the recorded versions; to use the installed ones, "
            f"write them into {paths.VERSIONS}, then DVC trains every model again"
        )
