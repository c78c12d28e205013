"""Whether somebody else lives under our name in a group."""

import time
from collections.abc import Callable
from functools import partial

from confluent_kafka.admin import MemberDescription  # type: ignore[attr-defined]  # exported

from . import kafka_settings
from .kafka_admin import Cluster
from .kafka_asking import asking
from .kafka_patience import Patience
from .kafka_settings import Settings

_LOOK_S = 0.1
#: Between two answers no more than this counts as time in which a dead member could have been missed: brokers that were away miss nobody.
_COUNTS_S = 1.0
#: Seconds of rebalances after which it is given up: they may wait for a member that hangs.
_REBALANCES_S = 20.0
#: A name that joins so often, while this process does not, is somebody's.
_MOST_JOINS = 5


def rival(
    cluster: Cluster, settings: Settings, group: str, instance: str, ours: Callable[[str], bool | None], patience: Patience
) -> MemberDescription | None:
    """The member with our static name, if another live process is it.

    ``ours`` tells of a member id whether it is this process's own (True), another process's for certain (False), or not known (None). Of
    the last kind is a stranger, but also whoever a broker made of a join of ours whose answer was lost. Only one of the two is heard of
    again: the group forgets a member that is silent for a session timeout, so it is given that long to prove that it is dead; from the end
    of a rebalance on, for as long as one lasts the group misses nobody who has asked to join.
    """
    with asking(settings, group, patience) as reader:
        asked, what = partial(cluster.member, group, instance, reader), f"instance {instance} of group {group}"
        return _proven(asked, what, kafka_settings.session_timeout_s(settings) + 1, ours, patience)


def settled(cluster: Cluster, settings: Settings, group: str, instance: str, patience: Patience) -> bool:
    """Whether a group waits for nobody: who is no member then has not been heard."""
    with asking(settings, group, patience) as reader:
        return cluster.member(group, instance, reader)[1]


def _proven(
    asked: Callable[[], tuple[MemberDescription | None, bool]],
    what: str,
    needed_s: float,
    ours: Callable[[str], bool | None],
    patience: Patience,
) -> MemberDescription | None:
    """``asked``: the member (``what``), and whether the group is settled; ``needed_s``: so long a dead one is still there."""
    seen_s, waited_s, last, known = 0.0, 0.0, time.monotonic(), ""
    again = 0
    while True:
        member, settled = asked()
        if member is None or (own := ours(member.member_id)):
            return None
        now = time.monotonic()
        passed_s, last = min(now - last, _COUNTS_S), now
        seen_s, waited_s = (seen_s + passed_s, waited_s) if settled else (0.0, waited_s + passed_s)
        if member.member_id != known:  # another join: its session begins now
            known, seen_s, again = member.member_id, 0.0, again + 1
        if own is False or seen_s > needed_s or waited_s > _REBALANCES_S or again > _MOST_JOINS:
            return member
        patience.pause(_LOOK_S)
        if patience.over:
            patience.give_up(what)
