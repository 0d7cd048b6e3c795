"""Terms as a store keeps them, for those who are not of this package."""

from sibu.graph._rdf import kept

__all__ = ["kept"]
