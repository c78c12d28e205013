"""What the reviewer's folds read, and what they say."""

from ...schemas.messages.candidates import Candidates
from ...schemas.messages.evidence import Evidence
from ...schemas.messages.progress import Progress
from ...schemas.messages.review import ReviewRequest, ReviewSlot
from ...schemas.messages.reviewed import Reviewed
from ..reference.reviews import Review

Fact = Candidates | Evidence | Progress | Review
#: What the estimates say: of intervals, of answers, and how far these are complete.
Estimated = Reviewed | Evidence | Progress
Said = ReviewRequest | ReviewSlot | Estimated
