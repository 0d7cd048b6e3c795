"""DistMult: a product of three numbers a place, summed."""

from torch import Tensor

from sibu.scorers._tables import Tables


class DistMult(Tables):
    """The sum over places of ``s r o``."""

    def query(self, subjects: Tensor, relations: Tensor) -> Tensor:
        """``s r``."""
        return subjects * relations

    def paired(self, queries: Tensor, objects: Tensor) -> Tensor:
        """One by one."""
        return (queries * objects).sum(-1)

    def crossed(self, queries: Tensor, objects: Tensor) -> Tensor:
        """Each with each."""
        return queries @ objects.T

    def sizes(self, vectors: Tensor, *, relation: bool) -> Tensor:  # noqa: ARG002
        """Of both."""
        return vectors.abs()
