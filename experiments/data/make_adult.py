#!/usr/bin/env python3
"""Makes adult.csv from the census income data as a csv (gzip or plain) with a column `split` (train and test).

    python3 make_adult.py adult.csv.gz > adult.csv

8000 of the 32561 rows of the training part: the first of the order in which Python's random.Random(0).shuffle puts them. The
values are unchanged; `?` stands where the source has none.
"""

import csv
import gzip
import random
import sys

path = sys.argv[1]
with (gzip.open(path, "rt") if path.endswith(".gz") else open(path)) as file:
    rows = [row for row in csv.DictReader(file) if row.pop("split") == "train"]
assert len(rows) == 32561
random.Random(0).shuffle(rows)
writer = csv.DictWriter(sys.stdout, rows[0].keys(), lineterminator="\n")
writer.writeheader()
writer.writerows(rows[:8000])
