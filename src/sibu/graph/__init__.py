"""The knowledge base on disk: facts, where they come from, formats, versions, shapes."""
