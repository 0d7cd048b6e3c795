"""F2, what follows from facts: rules, what they give, and rules found in a graph."""
