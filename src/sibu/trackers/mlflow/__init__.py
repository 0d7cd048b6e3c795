"""MLflow: a run of an experiment, in a database file beside the bundle or on a tracking server.

The recipe's values are the run's params, by dotted path and cut to MLflow's limits; figures are sent every few seconds
and at the end. Nothing leaves the machine unless `tracking_uri` names a server, and MLflow's own telemetry is off. Look
with `mlflow ui --backend-store-uri sqlite:///runs/mlflow.db`, which needs the full package `mlflow`, here or elsewhere.
"""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, Literal

from sibu.catalog import Entry, Spec

if TYPE_CHECKING:
    from sibu.core.protocols import Tracker


_ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    # Otherwise a server that does not answer is asked again for minutes, with training at a stand.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "15",
}
"""What MLflow reads when it is imported or used first; what the user has set stands."""


class MlflowSpec(Spec):
    """Options of the `mlflow` tracker."""

    name: Literal["mlflow"] = "mlflow"
    tracking_uri: str | None = None
    """A server or database, such as `http://mlflow:5000`; null: the file `mlflow.db` beside the bundle. A password
    belongs in `MLFLOW_TRACKING_USERNAME` and `MLFLOW_TRACKING_PASSWORD`, because the recipe is saved in the bundle."""
    experiment: str | None = None
    """Experiment of the run, made where it is missing; null: the recipe's name."""


def build(spec: MlflowSpec) -> Tracker:
    """What opens a run of the experiment."""
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    from sibu.trackers.mlflow.writer import opened

    return partial(opened, tracking_uri=spec.tracking_uri, experiment=spec.experiment)


ENTRY = Entry(MlflowSpec, build, needs=("mlflow", "sqlalchemy", "alembic"), extra="mlflow")
