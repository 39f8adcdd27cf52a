#!/usr/bin/env python3
"""Makes lancaster.csv from three files of the repository Jesbran/prueba-sensorimotor-distance, commit 9fe0e942, folder app/data.

    python3 make_lancaster.py sensorimotor_norms_Lancaster_matched.csv GPT_sensorimotor_norms_T0_English.csv \\
        DeepSeek_sensorimotor_norms_T0_English.csv > lancaster.csv
"""

import csv
import sys

SENSES = ["Interoceptive", "Gustatory", "Olfactory", "Haptic", "Auditory", "Visual"]

tables = []
for path in sys.argv[1:]:
    with open(path, newline="") as file:
        tables.append({row["Word"]: [row[f"{sense}.mean"] for sense in SENSES] for row in csv.DictReader(file)})
people, gpt, deepseek = tables
print(",".join(["word"] + [f"{rater}_{i}" for rater in ("human", "gpt", "deepseek") for i in range(6)]))
for word in people:
    values = people[word] + gpt[word] + deepseek[word]
    print(",".join([word] + [f"{float(value):.5g}" for value in values]))
