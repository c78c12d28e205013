"""What a learner has learnt answers requests."""
