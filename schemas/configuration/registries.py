"""``registries:`` of the configuration: where versions of models are known by their aliases, a kind each."""

from typing import Annotated

from pydantic import Field, model_validator

from ..duration import Duration
from ..fact import Setting
from .address import Address, Headers, clear

#: A model as MLflow takes it; quotes would end what is asked of it.
MLFLOW_NAME = r"^[^/:'\"\x00-\x1f\x7f]{1,250}$"


class MLflow(Setting):
    """The registry of a MLflow server: what serves has the alias `champion`, what runs beside it `challenger`."""

    url: Address
    model: Annotated[str, Field(pattern=MLFLOW_NAME)] | None = Field(None, description="as MLflow calls it; null: as driftbus does")
    headers: Headers = Field({}, description="{Authorization: ${NAME}}, of the environment; a value file:PATH stands in that file")
    timeout: Duration = Field(15_000, description="of one call")
    insecure: bool = Field(False, description="http to another machine: anybody on the way can read the headers")

    @model_validator(mode="after")
    def _in_private(self) -> "MLflow":
        if not self.insecure and (reason := clear(self.url, "the request")):
            raise ValueError(reason)
        return self


class Registry(Setting):
    """One of these."""

    mlflow: MLflow
