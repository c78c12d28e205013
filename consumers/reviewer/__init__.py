"""The reviewer: which predictions people are asked about, and what their answers say of the model."""
