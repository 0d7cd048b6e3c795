"""Turns of a dialogue to the text that a model was trained to read, by its chat template."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sibu.core.errors import RecipeError
from sibu.core.text import Message

PLAIN = (
    "{% set alone = messages | rejectattr('role', 'equalto', 'system') | list | length == 1 %}"
    "{% for message in messages %}{% if alone or message.role == 'system' %}{{ message.content }}\n"
    "{% else %}{{ message.role }}: {{ message.content }}{{ eos_token if message.role == 'assistant' }}\n"
    "{% endif %}{% endfor %}{% if add_generation_prompt and not alone %}assistant: {% endif %}"
)
"""The template of a model that has none: a lone text as it is, turns with the speaker's name before each."""
_PROBE = "sibu-probe"


@dataclass(frozen=True, slots=True)
class Special:
    """The special pieces of a tokenizer."""

    ids: Mapping[str, int]
    """Number by text."""
    bos: str
    eos: str
    """Texts of the pieces that begin and end; empty where there is none."""

    @classmethod
    def read(cls, folder: Path, tokenizer: Any) -> Special:
        """From a model folder and its tokenizer (of the library tokenizers)."""
        added = tokenizer.get_added_tokens_decoder()
        ids = {token.content: number for number, token in added.items() if token.special}
        file = folder / "tokenizer_config.json"
        settings = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
        bos, eos = (_content(settings.get(name)) for name in ("bos_token", "eos_token"))
        for name in (bos, eos):
            if name and name not in ids and (number := tokenizer.token_to_id(name)) is not None:
                ids[name] = number
        return cls(ids, bos if bos in ids else "", eos if eos in ids else "")


def _content(token: Any) -> str:
    return str(token.get("content", "")) if isinstance(token, dict) else token or ""


def own_template(folder: Path) -> str | None:
    """The chat template that a model folder brings."""
    file = folder / "chat_template.jinja"
    if file.is_file():
        return file.read_text(encoding="utf-8")
    file = folder / "tokenizer_config.json"
    found = json.loads(file.read_text(encoding="utf-8")).get("chat_template") if file.is_file() else None
    if isinstance(found, list):  # several by name
        found = next((each.get("template") for each in found if each.get("name") == "default"), None)
    return found if isinstance(found, str) else None


class ChatFormat:
    """One chat template, and how an answer ends in it.

    Args:
        template: Jinja, as Hugging Face's tokenizers have it.
        special: The tokenizer's special pieces.

    Raises:
        RecipeError: When the template cannot be rendered, or is another model's.
    """

    def __init__(self, template: str, special: Special) -> None:
        self.template = template
        self.special = special
        asked = (("user", _PROBE),)
        prompt = self.render(asked, opens=True)
        whole = self.render((*asked, ("assistant", _PROBE)), opens=False)
        if prompt.count(_PROBE) != 1:
            raise RecipeError("The chat template does not show what the user says. Take another `template`.")
        self._require_own(whole)
        tail = whole.rpartition(_PROBE)[2] if whole.count(_PROBE) == 2 else ""
        ends = [name for name in special.ids if name in tail]
        end = min(ends, key=tail.index, default="")
        self.end = tail[: tail.index(end)] + end if end else special.eos
        """What follows an answer, up to the special piece that ends it."""
        if not self.end:
            raise RecipeError(
                "Neither the chat template nor the tokenizer says how an answer ends: the model would never stop. "
                "Take a `template` that puts a special piece behind the assistant's turn."
            )

    def _require_own(self, shown: str) -> None:
        """Refuse a template with marks of another model, which this tokenizer would cut to pieces."""
        marks = set(re.findall(r"<\|[^|<>\s]{1,40}\|>|</?s>|\[/?INST\]|<(?:start|end)_of_turn>", shown))
        foreign = sorted(mark for mark in marks if mark not in self.special.ids and not mark.startswith("["))
        if foreign:
            known = ", ".join(list(self.special.ids)[:8]) or "none"
            raise RecipeError(
                f"The chat template is another model's: {', '.join(foreign)} is no special piece of this tokenizer "
                f"(it has: {known}). Leave `template` out to take the model's own, or write one with its pieces."
            )

    def render(self, messages: Sequence[Message], *, opens: bool) -> str:
        """The text of turns; ``opens``: with the beginning of the assistant's next one.

        Raises:
            RecipeError: With the template's own words, where it refuses the turns.
        """
        from jinja2.exceptions import TemplateError
        from transformers.utils.chat_template_utils import render_jinja_template

        turns = [{"role": role, "content": content} for role, content in messages]
        try:
            shown, _ = render_jinja_template(
                conversations=[turns],
                chat_template=self.template,
                add_generation_prompt=opens,
                bos_token=self.special.bos,
                eos_token=self.special.eos,
            )
        except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as fault:
            raise RecipeError(f"The chat template cannot be used: {fault}. Mend `template`, or the roles.") from fault
        return str(shown[0])
