"""The data of a job: what a request names, read from the bus, joined, and written as files that are the same for whoever asks again."""
