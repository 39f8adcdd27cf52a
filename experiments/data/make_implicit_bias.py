#!/usr/bin/env python3
"""Makes implicit_chained.csv, implicit_absolute.csv and implicit_gpt4o.csv from the repository baixuechunzi/llm-implicit-bias.

    python3 make_implicit_bias.py llm-implicit-bias

The texts of prompts and answers are left out. The answers of GPT-4o, lines of "word - group", are counted: how often each group got a
negative and a positive word. Stimuli are those of its table of synonyms: A and B the default and the stigmatised group, C and D the words, the
first half of a stereotype's words positive, the others negative. Lines that name no known word or group do not count; answers without a
line that counts are left out.
"""

import csv
import glob
import os
import re
import sys

root, here = sys.argv[1], os.path.dirname(os.path.abspath(__file__))
csv.field_size_limit(10**9)
names = {"arab/muslim": "arab", "arabmuslim": "arab", "mental illness": "mentalill"}


def read(path):
    return csv.DictReader(open(os.path.join(root, path), encoding="utf-8", newline=""))


def write(name, header, rows):
    with open(os.path.join(here, name), "w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def key(dataset):
    return names.get(dataset, dataset)


write(
    "implicit_chained.csv",
    ["domain", "stereotype", "implicit", "decision"],
    ([r["category"], key(r["dataset"]), f"{float(r['iat_bias']):.6f}", r["decision_bias"]] for r in read("data/result_chained.csv")),
)
write(
    "implicit_absolute.csv",
    ["stereotype", "stigma", "negative", "yes"],
    (
        [key(r["dataset"]), int(r["type"].startswith("stigma")), int(r["type"].endswith("negative")), int(r["decision"] == "Yes")]
        for r in read("data/result_absolute.csv")
    ),
)


def clean(text):
    return re.sub(r"[^a-z0-9 -]", "", text.lower().replace("_", " ")).strip(" -")


groups, words = {}, {}
rows = {}
for r in read("stimuli/iat_stimuli_synonym.csv"):
    rows.setdefault(key(r["dataset"]), []).append(r)
for dataset, listed in rows.items():
    groups[dataset] = {clean(r[c]): side for r in listed for c, side in (("A", 0), ("B", 1)) if r[c]}
    named = {c: [clean(r[c]) for r in listed if r[c]] for c in "CD"}
    words[dataset] = {w: int(i >= len(ws) / 2) for ws in named.values() for i, w in enumerate(ws)}

counts, lines, lost = [], 0, 0
for path in sorted(glob.glob(os.path.join(root, "data/result_gpt4o/*.csv"))):
    dataset, variation = os.path.basename(path)[:-4].split("_")[1:3]
    for r in csv.DictReader(open(path, encoding="utf-8", newline="")):
        count = [0, 0, 0, 0]  # default: positive, negative; stigmatised: positive, negative
        for line in r["0"].split("\n"):
            if not line.strip():
                continue
            lines += 1
            parts = [clean(p) for p in re.split(r"\s+[-–—]\s*|\s*[-–—]\s+|:", line.strip(), maxsplit=1)]
            if len(parts) < 2:
                parts = [clean(p) for p in line.strip().rsplit("-", 1)]
            if len(parts) == 2:
                for word, group in (parts, parts[::-1]):
                    if word in words[dataset] and group in groups[dataset]:
                        count[2 * groups[dataset][group] + words[dataset][word]] += 1
                        break
                else:
                    lost += 1
            else:
                lost += 1
        if sum(count):
            counts.append([dataset, variation, *count])
write(
    "implicit_gpt4o.csv",
    ["stereotype", "variation", "count_0", "count_1", "count_2", "count_3"],
    counts,
)
print(f"{len(counts)} answers counted, {lost} of {lines} lines were not read", file=sys.stderr)
