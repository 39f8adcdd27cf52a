#!/usr/bin/env python3
"""Makes vader.csv from the lexicon of the PyPI package vaderSentiment 3.3.2.

    python3 make_vader.py vader_lexicon.txt > vader.csv

Kept are lines whose word is of 3 to 14 lower-case letters and occurs once; `marked` is the word between ^ and $.
"""

import ast
import re
import sys

rows = {}
for line in open(sys.argv[1], encoding="utf-8"):
    word, _, _, ratings = line.rstrip("\n").split("\t")
    if re.fullmatch(r"[a-z]{3,14}", word):
        rows.setdefault(word, ast.literal_eval(ratings))

print("marked," + ",".join(f"rating_{i}" for i in range(10)))
for word in sorted(rows):
    assert len(rows[word]) == 10
    print(f"^{word}$," + ",".join(map(str, rows[word])))
