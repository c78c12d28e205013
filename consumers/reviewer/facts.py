"""What the reviewer's folds read, and what they say."""

from ...schemas.messages.candidates import Candidates
from ...schemas.messages.evidence import Evidence
from ...schemas.messages.progress import Progress
from ...schemas.messages.review import ReviewRequest, ReviewSlot
from ...schemas.messages.reviewed import Reviewed
from ..reference.reviews import Review

Fact = Candidates | Evidence | Progress | Review
Said = ReviewRequest | ReviewSlot | Reviewed
