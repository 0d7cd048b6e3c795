"""OWL 2 RL and RDFS as rules: `rl.rules`, `rdfs.rules`, and beside each what every reasoner takes for granted."""
