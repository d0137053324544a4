//! `albertine sql` in a build without the cargo feature `sql`.

use crate::support::{Sandbox, assert_conversation};

#[test]
fn a_build_without_sql_says_how_to_get_it() {
    assert_conversation!(Sandbox::new().run(&["sql", "SELECT classify('Oil') AS label"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: this build of albertine has no SQL engine
    hint: `cargo install --path crates/cli --features sql` installs one with it, and `cargo run --release --features sql -- sql ...` runs it
    "#);
}

#[test]
fn help_lists_it_still() {
    let sandbox = Sandbox::new();
    assert!(sandbox.run(&["--help"]).contains("  sql "), "the subcommands");
    assert!(sandbox.run(&["sql", "--help"]).contains("cargo install --path crates/cli --features sql"));
}
