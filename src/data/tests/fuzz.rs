//! No bytes make a reader panic.

use proptest::prelude::*;

use super::*;

const KINDS: [SourceKind; 9] = [
    SourceKind::Csv,
    SourceKind::Tsv,
    SourceKind::Idx,
    SourceKind::Npy,
    SourceKind::Npz,
    SourceKind::Jsonl,
    SourceKind::Text,
    SourceKind::Parquet,
    SourceKind::Safetensors,
];

/// Starts of real files, so that the bytes after them reach the inner parts of the readers.
const STARTS: [&[u8]; 11] = [
    b"",
    b"\x1f\x8b\x08\0\0\0\0\0\0\x03",
    b"\0\0\x08\x02\0\0\0\x02",
    b"\x93NUMPY\x01\0\x76\0{'descr': '<f4', 'fortran_order': True, 'shape': (",
    b"\x93NUMPY\x01\0\x10\0",
    b"PK\x03\x04",
    b"x,y,f_0,f_1\n1,2,3,4\n",
    b"x\ty\tf_0\n",
    b"{\"x\": 1, \"f\": [1, 2]}\n{\"x\": ",
    b"{\"x\": [[[[",
    b"\x50\0\0\0\0\0\0\0{\"x\":{\"dtype\":\"F32\",\"shape\":[",
];

fn columns() -> Vec<ColumnSpec> {
    vec![
        float("x"),
        missing(boolean("y"), Missing::Drop),
        over(category("f", "K", Domain::Found), &["Slot"]),
        missing(over(category("f", "Sized", Domain::Size(3)), &["Slot"]), Missing::Fill("1".into())),
    ]
}

/// Reads the bytes in every way; an answer of any kind is right.
fn read_in_every_way(bytes: &[u8]) {
    for kind in KINDS {
        for column in columns() {
            let _ = load(&schema(kind, &["a"], vec![column]), &memory(&[bytes]));
        }
        let _ = load(&schema(kind, &["a"], columns()), &memory(&[bytes]));
        let mut exploded = schema(kind, &["a"], columns());
        exploded.source.each = Some("f".into());
        let _ = load(&exploded, &memory(&[bytes]));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn random_bytes_never_panic(start in 0..STARTS.len(), rest in prop::collection::vec(any::<u8>(), 0..300)) {
        read_in_every_way(&[STARTS[start], rest.as_slice()].concat());
    }

    #[test]
    fn random_tables_never_panic(rest in "[xyf_0-9,\t\n\"nae. -]{0,120}") {
        read_in_every_way(rest.as_bytes());
        read_in_every_way(&[b"x,y,f_0,f_1\n".as_slice(), rest.as_bytes()].concat());
    }

    #[test]
    fn random_lines_of_json_never_panic(rest in "([{}\\[\\]\":,xf0-9 \n-]|\"x\"|\"f\"|true|null|1e400){0,60}") {
        read_in_every_way(rest.as_bytes());
        read_in_every_way(format!("{{\"x\": 1, \"f\": [{rest}]}}").as_bytes());
    }

    #[test]
    fn damaged_tensors_never_panic(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = super::loose::tensors();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        read_in_every_way(&bytes);
    }

    #[test]
    fn damaged_files_never_panic(
        file in 0usize..6,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in any::<prop::sample::Index>(),
        cuts in any::<bool>(),
    ) {
        const FILES: [&[u8]; 6] = [
            include_bytes!("../../../tests/data/three.npz"),
            include_bytes!("../../../tests/data/f8_fortran.npy"),
            include_bytes!("../../../tests/data/fashion10-images-idx3-ubyte.gz"),
            include_bytes!("../../../tests/data/fashion10-labels-idx1-ubyte.gz"),
            include_bytes!("../../../tests/data/i2_big.npy"),
            include_bytes!("../../../tests/data/text.npy"),
        ];
        let mut bytes = FILES[file].to_vec();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if cuts {
            bytes.truncate(cut.index(bytes.len()));
        }
        read_in_every_way(&bytes);
    }
}

#[test]
fn a_header_of_many_brackets_or_huge_sizes_is_refused() {
    for header in [
        "(".repeat(60_000),
        "{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296, 16), }".into(),
    ] {
        let mut bytes = b"\x93NUMPY\x01\0".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.as_bytes());
        refused(
            load(&schema(SourceKind::Npy, &["a"], vec![float("x")]), &memory(&[&bytes])),
            Code::A0419,
            &["not a whole NumPy array"],
        );
    }
}
