"""Overrides of params.yaml from a command line, in the syntax of `dvc exp run -S`, which is that of Hydra.

See https://hydra.cc/docs/advanced/override_grammar/basic/. DVC, too, parses and applies them with Hydra.
"""

from itertools import product

from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from cifar10 import params, paths, yaml_text
from cifar10.errors import UserError

OPTION = "--set"  # on the command line, for messages
SEEDS = "train.seeds"


def parse(text: str) -> Override:
    """Parse one override, for example `train.epochs=5`, `train.batch_size=16,32` or `+train.new=1`.

    Raises:
        UserError: it cannot be parsed, or its key is not in the section `train` or `models`.
    """
    if "=" not in text:
        raise UserError(f"{OPTION} {text}: expected KEY=VALUE,..., as in {SEEDS}=[1,2,3]")
    if not text.lstrip("+~").startswith(("train.", "models.")):
        raise UserError(
            f"{OPTION} {text}: expected a key under `train` or `models`, as in {SEEDS}=[1,2,3]; "
            "other data are another revision: change params.yaml, `dvc repro preprocess`, commit"
        )
    try:
        (override,) = OverridesParser.create().parse_overrides([text])
    except HydraException as error:
        raise UserError(f"{OPTION} {text}: {_reason(error)}") from None
    return override


def combinations(texts: list[str]) -> list[list[str]]:
    """Expand overrides with several values into the grid of all their combinations.

    Raises:
        UserError: an override cannot be parsed, or has no finite list of values.
    """
    return [list(chosen) for chosen in product(*(_values(parse(text)) for text in texts))]


def _values(override: Override) -> list[str]:
    if override.is_delete() or not override.is_sweep_override():
        return [str(override.input_line)]
    key = override.get_key_element()
    try:
        return [f"{key}={value}" for value in override.sweep_string_iterator()]
    except HydraException as error:  # an interval
        raise UserError(f"{OPTION} {override.input_line}: {_reason(error)}") from None


def apply(texts: list[str]) -> tuple[str, params.Params]:
    """Return params.yaml with the overrides, as text and as parameters. The file does not change.

    Raises:
        UserError: params.yaml has no such key, or does not allow the value.
    """
    given = f"{OPTION} {' '.join(texts)}"
    try:
        content = OmegaConf.create(yaml_text.read(paths.PARAMS) or {}, flags={"allow_objects": True})
        OmegaConf.set_struct(content, True)
        # as `dvc.utils.hydra.apply_overrides` does; `hydra.compose` would read the file as YAML 1.1
        ConfigLoaderImpl._apply_overrides_to_config(OverridesParser.create().parse_overrides(texts), content)
        text = yaml_text.dump(OmegaConf.to_container(content, resolve=True))
    except (HydraException, OmegaConfBaseException) as error:
        reason = " ".join(str(error).split())  # with the way to add a key
        raise UserError(f"{given}: no such key in {paths.PARAMS}? {reason}") from None
    try:
        return text, params.parse(text)
    except UserError as error:
        raise UserError(f"{given}: {str(error).removeprefix(f'{paths.PARAMS}: ')}") from None


def _reason(error: BaseException) -> str:
    return str(error).partition("\n")[0]
