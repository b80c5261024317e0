"""Compare the installed libraries with versions.yaml, on which `train` and `evaluate` depend."""

from cifar10 import arithmetic, paths, yaml_text
from cifar10.errors import UserError


def check_versions() -> None:
    """Check that the installed versions are those in versions.yaml.

    Raises:
        UserError: versions.yaml is missing or damaged, or an installed version differs.
    """
    try:
        recorded = yaml_text.read(paths.VERSIONS)
    except FileNotFoundError:
        raise UserError(f"{paths.VERSIONS} not found: run `make lock` to write it") from None
    recorded = recorded if isinstance(recorded, dict) else {}
    other = [
        f"{name} {version} is installed, {paths.VERSIONS} has {recorded.get(name)}"
        for name, version in arithmetic.versions().items()
        if str(recorded.get(name)) != version
    ]
    if other:
        raise UserError(
            f"{'; '.join(other)}: run `make install` to install the recorded versions, or write the "
            f"installed ones into {paths.VERSIONS} (DVC then trains every model again)"
        )
