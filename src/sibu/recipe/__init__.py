"""F4, the recipe: its schema, reading it with all faults at once, writing it out in full."""
