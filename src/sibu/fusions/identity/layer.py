"""The identity fusion."""

from collections.abc import Mapping

from torch import nn

from sibu.core.tensors import Encoded


class Identity(nn.Module):
    """Hands on the only modality's vectors."""

    def forward(self, parts: Mapping[str, Encoded]) -> Encoded:
        """The one part as it is.

        Raises:
            ValueError: When there is more than one.
        """
        if len(parts) != 1:
            raise ValueError(f"the identity fusion joins one modality, given {', '.join(parts)}; choose another fusion")
        return next(iter(parts.values()))
