"""The processes, the bus they meet on, and the command line."""

import os

# Products of small matrices are cut up for every core by default, whose threads then wait for each other: on a busy machine rows were
# compared with their training data 11 times more slowly. More partitions and processes use more cores. Before numpy is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
