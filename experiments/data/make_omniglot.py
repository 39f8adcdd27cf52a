#!/usr/bin/env python3
"""Makes omniglot-images.idx.gz and omniglot-characters.idx.gz from the drawings of Omniglot's small background set 1, reduced to 28 by 28 bytes.

    python3 make_omniglot.py images-idx3-ubyte.gz labels.csv

Blocks of 2 by 2 are averaged (rounded down): 14 by 14 bytes, 255 is ink. Rows are sorted by character, 20 drawings each.
"""

import csv
import gzip
import struct
import sys

images = gzip.open(sys.argv[1]).read()
assert struct.unpack(">4i", images[:16]) == (2051, 2720, 28, 28)
labels = [int(row["character_id"]) for row in csv.DictReader(open(sys.argv[2], encoding="utf-8"))]
assert labels == [i // 20 for i in range(2720)]
small = bytearray()
for n in range(2720):
    image = images[16 + 784 * n:16 + 784 * (n + 1)]
    for y in range(0, 784, 56):
        for x in range(0, 28, 2):
            small.append((image[y + x] + image[y + x + 1] + image[y + x + 28] + image[y + x + 29]) // 4)
for name, header, body in [
    ("images", struct.pack(">4i", 2051, 2720, 14, 14), bytes(small)),
    ("characters", struct.pack(">2i", 2049, 2720), bytes(labels)),
]:
    with open(f"omniglot-{name}.idx.gz", "wb") as file:
        file.write(gzip.compress(header + body, 9, mtime=0))
