"""F2, training: batches, optimiser, loop, checkpoints, seeds."""
