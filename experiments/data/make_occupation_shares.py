#!/usr/bin/env python3
"""Makes occupation_shares.csv from occupations-stats.tsv of the Winogender schemas.

    python3 make_occupation_shares.py occupations-stats.tsv > occupation_shares.csv

Per cent become shares; the year is left out.
"""

import csv
import sys

text = open(sys.argv[1], encoding="utf-8").read()
rows = csv.DictReader(text.splitlines(), delimiter="\t" if "\t" in text else ",")
print("occupation,said,labour")
for row in rows:
    said, labour = (round(float(row[c]) / 100, 6) for c in ("bergsma_pct_female", "bls_pct_female"))
    print(f"{row['occupation']},{said},{labour}")
