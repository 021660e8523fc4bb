//! Checks that the TypeScript types in Arena's view equal the output of the server.

use std::{fs, path::Path, process::Command};

/// The types that the view imports, from the root of the repository.
const FILE: &str = "examples/arena/view/types.d.ts";

#[test]
fn the_types_in_the_view_are_up_to_date() {
    let kept = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(FILE)).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_arcade")).args(["--print-types", "arena"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(
        kept.replace("\r\n", "\n") == printed,
        "{FILE} differs from the types of the game; renew it with\n  \
         cargo run -p arcade -- --print-types arena > {FILE}\n\nprinted:\n{printed}\nkept:\n{kept}"
    );
}
