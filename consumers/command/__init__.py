"""The command line: one file per verb."""

import os

# Products of small matrices in a busy process: threads that wait for each other cost ten times what they save. Results are the same.
for _name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
