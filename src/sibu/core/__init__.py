"""F1, the vocabulary: the types that every floor speaks. Standard library only at import."""
