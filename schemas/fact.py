"""The two kinds of model in this package: a fact that was published, and a setting that somebody wrote."""

from pydantic import BaseModel, ConfigDict


class Fact(BaseModel):
    """Something published: never changed afterwards, and readable by those who know fewer fields than its writer.

    Fields are only ever added, each with a default; none is retyped or renamed.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", ser_json_inf_nan="strings")


class Setting(BaseModel):
    """Something a user wrote: a key that is not known is a mistake and is refused with its full path."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)
