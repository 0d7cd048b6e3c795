"""F3: ways to conclude new facts from those that a knowledge base holds, each with proofs."""
