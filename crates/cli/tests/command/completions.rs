//! `albertine completions`: scripts that a shell can read.

use crate::support::Sandbox;

#[test]
fn every_shell_gets_a_script_that_knows_the_flags() {
    let sandbox = Sandbox::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let output = sandbox.command(&["completions", shell]).output().expect("the binary starts");
        let script = String::from_utf8(output.stdout).expect("a script is text");
        assert_eq!(output.status.code(), Some(0));
        assert!(script.contains("max-sentence-length"), "the script of {shell} does not know the flags");
    }
}

#[test]
fn bash_accepts_its_script() {
    let sandbox = Sandbox::new();
    let check = "set -e; eval \"$(\"$ALBERTINE\" completions bash)\"; complete -p albertine";
    let mut bash = std::process::Command::new("bash");
    bash.args(["-c", check]);
    sandbox.prepare(&mut bash);
    let Ok(output) = bash.env("ALBERTINE", crate::support::ALBERTINE).output() else {
        eprintln!("skipped: there is no bash");
        return;
    };
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("-F _albertine"), "{said}");
}
