"""F5, from recipe to bundle: data gate, assembly, stages, record, report."""
