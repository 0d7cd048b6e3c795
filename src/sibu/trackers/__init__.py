"""Room: where a run's figures go besides the bundle, one part a service; none is installed by default.

Each start of a run, and each resume, is a run of its own for the service; its steps go on counting.
"""

from sibu.catalog import Catalog
from sibu.trackers import mlflow, tensorboard, wandb

TRACKERS = Catalog("tracker", tensorboard.ENTRY, wandb.ENTRY, mlflow.ENTRY, group="sibu.trackers")
