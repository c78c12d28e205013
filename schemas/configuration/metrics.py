"""``metrics:`` of the configuration: what `driftbus run` tells over HTTP, where asked."""

from pydantic import Field

from ..duration import Duration
from ..fact import Setting


class Metrics(Setting):
    """``/metrics`` for Prometheus, ``/healthz`` and ``/readyz``."""

    port: int = Field(9464, ge=0, le=65_535, description="0: any that is free; a log line says which")
    host: str = Field("127.0.0.1", description="of this machine alone; 0.0.0.0 lets everybody ask, who can reach it")
    turn_within: Duration = Field(300_000, description="healthz: no turn of the consumers may take longer")
    ready_within: Duration = Field(60_000, description="readyz: so far behind the newest record it may be, and so long ago its last turn")
