#!/usr/bin/env python3
"""Makes familiarity.csv from Glasgow_MRC_joint_norms_inner_join_english_output.xlsx of the repository
WordsGPT/psycholinguistics_framework, commit 534d2a4, folder familiarity_english/output (needs openpyxl).

    python3 make_familiarity.py Glasgow_MRC_joint_norms_inner_join_english_output.xlsx > familiarity.csv
"""

import sys

import openpyxl

COLUMNS = {
    "word": "Word",
    "glasgow": "FAM_Glas",
    "mrc": "FAM_MRC",
    "gpt_likeliest": "fam_v02_standard_prompt_gpt4omini",
    "gpt_expected": "logprobs_v02_standard_prompt_gpt4omini",
    "llama_likeliest": "fam_v02_standard_prompt_llama3.1-8B",
    "llama_expected": "logprobs_v02_standard_prompt_llama3.1-8B",
    "gemini_likeliest": "fam_gemini-2.0-flash",
    "gemini_expected": "logprobs_gemini-2.0-flash",
}

sheet = openpyxl.load_workbook(sys.argv[1], read_only=True).active
rows = sheet.iter_rows(values_only=True)
header = list(next(rows))
at = [header.index(name) for name in COLUMNS.values()]
print(",".join(COLUMNS))
for row in rows:
    cells = [row[i] for i in at]
    if any(not isinstance(cell, (int, float)) for cell in cells[1:]):
        print("left out:", cells, file=sys.stderr)
        continue
    print(",".join([str(cells[0])] + [f"{cell:.6g}" for cell in cells[1:]]))
