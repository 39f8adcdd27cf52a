//! `ansatz runs export --format tensorboard`: the event files, read back by their formats.

use std::path::Path;

use super::cache::{FILE, bench};

/// CRC-32C bit by bit (polynomial 0x1EDC6F41, reflected), and TFRecord's mask.
fn masked_checksum(bytes: &[u8]) -> u32 {
    let mut checksum = !0_u32;
    for byte in bytes {
        checksum ^= u32::from(*byte);
        for _ in 0..8 {
            checksum = checksum >> 1 ^ if checksum & 1 == 1 { 0x82f6_3b78 } else { 0 };
        }
    }
    (!checksum).rotate_right(15).wrapping_add(0xa282_ead8)
}

/// The messages of a file, whose framing must be whole.
fn records(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let (head, rest) = bytes.split_at(12);
        let length = u64::from_le_bytes(head[..8].try_into().expect("eight bytes")) as usize;
        assert_eq!(head[8..], masked_checksum(&head[..8]).to_le_bytes());
        let (message, rest) = rest.split_at(length);
        assert_eq!(rest[..4], masked_checksum(message).to_le_bytes());
        found.push(message);
        bytes = &rest[4..];
    }
    found
}

/// A field's number with its value: whole numbers and bytes as they are.
enum Field<'a> {
    Integer(u64),
    Bytes(&'a [u8]),
}

fn fields(mut message: &[u8]) -> Vec<(u64, Field<'_>)> {
    fn varint(message: &mut &[u8]) -> u64 {
        let mut value = 0;
        for shift in (0..).step_by(7) {
            let (byte, rest) = message.split_first().expect("a byte");
            *message = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                break;
            }
        }
        value
    }
    let mut found = Vec::new();
    while !message.is_empty() {
        let key = varint(&mut message);
        let length = match key & 7 {
            0 => {
                found.push((key >> 3, Field::Integer(varint(&mut message))));
                continue;
            }
            1 => 8,
            5 => 4,
            2 => varint(&mut message) as usize,
            other => panic!("wire type {other}"),
        };
        let (value, rest) = message.split_at(length);
        found.push((key >> 3, Field::Bytes(value)));
        message = rest;
    }
    found
}

fn bytes(message: &[u8], number: u64) -> Option<&[u8]> {
    fields(message).into_iter().find_map(|(field, value)| match value {
        Field::Bytes(bytes) if field == number => Some(bytes),
        _ => None,
    })
}

/// The tag, step and value of every scalar, after the version.
fn scalars(path: &Path) -> Vec<(String, u64, f32)> {
    let file = std::fs::read(path).expect("an event file");
    let records = records(&file);
    assert_eq!(bytes(records[0], 3), Some(&b"brain.Event:2"[..]));
    let scalar = |record: &&[u8]| {
        let step = fields(record).into_iter().find_map(|(field, value)| match value {
            Field::Integer(step) if field == 2 => Some(step),
            _ => None,
        });
        let value = bytes(bytes(record, 5).expect("a summary"), 1).expect("a value");
        let tag = String::from_utf8(bytes(value, 1).expect("a tag").to_vec()).expect("text");
        let number = bytes(value, 2).expect("a number").try_into().expect("four bytes");
        (tag, step.expect("a step"), f32::from_le_bytes(number))
    };
    records[1..].iter().map(scalar).collect()
}

#[test]
fn the_checksum_is_the_known_one() {
    assert_eq!(masked_checksum(b"123456789"), 0xe306_9283_u32.rotate_right(15).wrapping_add(0xa282_ead8));
}

#[test]
fn curves_and_measures_of_each_trial_are_exported() {
    let bench = bench();
    let every = "    every 10 as Look { on points.test { record held = mean((net(broadcast(x, In))[Out = 0] - y)^2, Row) } }\n";
    bench.write("e.anz", FILE.replace("    steps 40\n", &format!("    steps 40\n{every}")));
    let ran = bench.run(&[]);
    let exported = bench.ansatz(&["runs", "export", "e", "--format", "tensorboard", "--output", "board"]);
    assert!(exported.status.success(), "{}", String::from_utf8_lossy(&exported.stderr));
    let told = String::from_utf8_lossy(&exported.stderr).into_owned();
    assert!(told.contains("left out, along examples or too many for curves: off\n"), "{told}");
    let results: serde_json::Value = serde_json::from_str(&ran.results()).expect("JSON");
    let mut trials: Vec<String> = std::fs::read_dir(bench.path("board"))
        .expect("a folder for each trial")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    trials.sort();
    assert_eq!(
        trials,
        [
            "Objective=absolute,Seed=0",
            "Objective=absolute,Seed=1",
            "Objective=square,Seed=0",
            "Objective=square,Seed=1"
        ]
    );
    let found = scalars(&bench.path("board/Objective=absolute,Seed=1/events.out.tfevents.0.ansatz"));
    let of = |wanted: &str| -> Vec<(u64, f32)> {
        found.iter().filter(|(tag, ..)| tag == wanted).map(|(_, step, value)| (*step, *value)).collect()
    };
    let curve = results["training"]
        .as_array()
        .expect("curves")
        .iter()
        .find(|curve| curve["trial"] == serde_json::json!([["Objective", "absolute"], ["Seed", "1"]]));
    let curve = curve.expect("a curve");
    let tag = format!("training/{}, block 1", curve["term"].as_str().expect("a name"));
    let expected: Vec<(u64, f32)> = curve["values"]
        .as_array()
        .expect("values")
        .iter()
        .zip(1..)
        .map(|(value, at)| (at, value.as_f64().expect("a number") as f32))
        .collect();
    assert_eq!((of(&tag), expected.len()), (expected.clone(), 10));
    // The trial is the last along both axes.
    let measure = |name: &str| -> Vec<f32> {
        let measure = results["measures"]
            .as_array()
            .expect("measures")
            .iter()
            .find(|measure| measure["name"] == name)
            .expect("it is measured");
        measure["values"]
            .as_array()
            .expect("values")
            .iter()
            .map(|value| value.as_f64().expect("a number") as f32)
            .collect()
    };
    assert_eq!(of("loss"), [(0, *measure("loss").last().expect("values"))]);
    let held = measure("held");
    let steps: Vec<(u64, f32)> =
        [0, 10, 20, 30, 40].into_iter().zip(held[held.len() - 5..].iter().copied()).collect();
    assert_eq!(of("held"), steps);
    // Without a folder of one's choice it is that of the run.
    assert!(bench.ansatz(&["runs", "export", "e", "--format", "tensorboard"]).status.success());
    assert!(ran.folder.is_some_and(|folder| folder.join("tensorboard/Objective=square,Seed=0").is_dir()));
}
