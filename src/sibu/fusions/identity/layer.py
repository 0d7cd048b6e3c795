"""The identity fusion."""

from collections.abc import Mapping

from torch import nn

from sibu.core.tensors import Encoded


class Identity(nn.Module):
    """Hands on the only modality's vectors.

    Args:
        width: D, of the modality's vectors.
    """

    votes = False

    def __init__(self, *, width: int) -> None:
        super().__init__()
        self.width = width

    def forward(self, parts: Mapping[str, Encoded], *, keep: str | None = None) -> Encoded:  # noqa: ARG002
        """The one part as it is.

        Raises:
            ValueError: When there is more than one.
        """
        if len(parts) != 1:
            raise ValueError(f"the identity fusion joins one modality, given {', '.join(parts)}; choose another fusion")
        return next(iter(parts.values()))
