"""F5, curation: what a knowledge base is missing, and how it is kept."""
