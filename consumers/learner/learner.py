"""The learner: labelled rows in; what was learnt from them, who of the candidates serves, and how well each predicts, out. A fold.

*Guarantee.* That of the folding consumer (`driftbus.consumers.process.folding`): what is learnt is a pure function of a partition of the
examples. Steps are taken when all partitions of the joins are complete through them, and within a step in the joiner's order: so it is the
same whatever the speed, and in one process or several.

*Trap.* What people answered, and what incidents say, stands among the examples where it happened to be written. It says when it was said,
and holds from the first step that ends `SETTLES` behind that: who folds again, faster than life was, must not take it earlier.

*Trap.* To learn takes time: a batch here has few records, for all that this process turns waits for it.
"""

from typing import TYPE_CHECKING

from ..process.consumer import Making
from ..process.folding import Folding
from ..reference.examples import Told
from ..reference.learned import asked

if TYPE_CHECKING:
    from .fold import Said

ROLE = "learner"


def make(making: Making) -> "list[Folding[Told, Said]]":
    """The one learner of a process; none where no model has one."""
    if not asked(making.configuration):
        return []
    from .learning import Learning  # river takes its time to be imported

    return [Folding(making.bus, making.configuration, Learning(ROLE, making.configuration, making.store), making.wall)]
