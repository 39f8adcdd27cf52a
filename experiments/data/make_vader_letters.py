#!/usr/bin/env python3
"""Makes vader_letters.csv from vader.csv: each word's first two letters, its letters with a full stop behind them, and its ratings.

    python3 make_vader_letters.py vader.csv > vader_letters.csv
"""

import csv
import sys

with open(sys.argv[1], newline="") as file:
    rows = list(csv.DictReader(file))
print("prefix,letters," + ",".join(f"rating_{i}" for i in range(10)))
for row in rows:
    word = row["marked"][1:-1]
    print(",".join([word[:2], " ".join(word) + " ."] + [row[f"rating_{i}"] for i in range(10)]))
