"""``serving:`` of the configuration: what learners have learnt answers requests."""

from pydantic import Field

from ..fact import Setting


class Serving(Setting):
    """Over the topics `requests` and `replies`; and over HTTP, by the V2 inference protocol."""

    port: int | None = Field(None, ge=0, le=65_535, description="of HTTP; 0: any that is free; null: none")
    host: str = Field("127.0.0.1", description="of this machine alone; 0.0.0.0 lets everybody ask, who can reach it")
