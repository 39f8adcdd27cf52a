#!/usr/bin/env python3
"""Makes vowels.csv from the PyPI package sktime 1.2.0, which carries the data set Japanese Vowels.

    pip download --no-deps sktime==1.2.0
    python3 make_vowels.py sktime-1.2.0-py3-none-any.whl > vowels.csv

Each of the 12 coefficients of an utterance, of 7 to 29 frames, is interpolated linearly at 8 points from its first to its last frame.
"""

import sys
import zipfile

FOLDER = "sktime/datasets/data/JapaneseVowels/JapaneseVowels_"


def interpolated(frames, points=8):
    values = []
    for i in range(points):
        at = i * (len(frames) - 1) / (points - 1)
        before = min(int(at), len(frames) - 2)
        share = at - before
        values.append((1 - share) * frames[before] + share * frames[before + 1])
    return values


wheel = zipfile.ZipFile(sys.argv[1])
print(",".join([f"x_{i}" for i in range(96)] + ["speaker", "shown"]))
for part, shown in [("TRAIN", 1), ("TEST", 0)]:
    text = wheel.read(f"{FOLDER}{part}.ts").decode()
    for line in text.split("@data")[1].split():
        *channels, speaker = line.split(":")
        row = [value for channel in channels for value in interpolated([float(cell) for cell in channel.split(",")])]
        print(",".join([f"{value:.4f}" for value in row] + [speaker, str(shown)]))
