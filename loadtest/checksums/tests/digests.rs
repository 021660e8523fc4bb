//! A digest depends on each part of a match. `loadtest checksums` compares those of two builds.

use checksums::SUBJECTS;

fn digest(subject: usize, seed: u64, ticks: u32) -> u64 {
    let mut subject = SUBJECTS[subject].1(seed);
    subject.run(ticks);
    subject.digest()
}

#[test]
fn a_digest_depends_on_the_seed_and_the_ticks_alone() {
    for (at, (name, _)) in SUBJECTS.iter().enumerate() {
        let first = digest(at, 1, 200);
        assert_eq!(first, digest(at, 1, 200), "{name}");
        assert_ne!(first, digest(at, 2, 200), "{name}");
        assert_ne!(first, digest(at, 1, 250), "{name}");
    }
}

#[test]
fn functions_of_floats_have_the_same_bits_on_every_machine() {
    let (maths, (name, _)) = (SUBJECTS.len() - 1, SUBJECTS[SUBJECTS.len() - 1]);
    assert_eq!(name, "maths");
    // Another version of glam or libm may change it. Another machine may not.
    assert_eq!(format!("{:016x}", digest(maths, 7, 10_000)), "515215cae07363eb");
}
