//! `albertine train --checkpoint`: what is left of a run that was killed, and what comes of it.

use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use crate::support::{Sandbox, assert_conversation, conversation, golden_model};
use crate::train::table;

/// A training of some seconds.
const TRAIN: [&str; 19] = [
    "train",
    "--input",
    "train.csv",
    "--model",
    "./base",
    "--validation-split",
    "0.2",
    "--epochs",
    "30",
    "--batch-size",
    "8",
    "--learning-rate",
    "0.001",
    "--dropout",
    "0.2",
    "--threads",
    "2",
    "--output",
    "model",
];

const CHECKPOINT: [&str; 5] = ["--checkpoint", "run", "--save-steps", "7", "--resume"];

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.model("base", &golden_model("gelu_new"));
    table(&sandbox, "train.csv", 160);
    sandbox
}

fn weights(sandbox: &Sandbox, model: &str) -> Vec<u8> {
    std::fs::read(sandbox.path(model).join("model.safetensors")).expect("weights")
}

/// The weights of the same training without a break.
fn unbroken() -> Vec<u8> {
    let sandbox = sandbox();
    let said = sandbox.run(&TRAIN);
    assert!(said.starts_with("exit code: 0"), "{said}");
    weights(&sandbox, "model")
}

#[test]
fn a_run_that_is_killed_at_any_moment_goes_on_to_the_same_bits() {
    let (sandbox, unbroken) = (sandbox(), unbroken());
    let arguments = [&TRAIN[..], &CHECKPOINT].concat();
    let mut random = SystemTime::UNIX_EPOCH.elapsed().expect("a clock").subsec_nanos();
    let steps = || std::fs::read_to_string(sandbox.path("run/metrics.jsonl")).map_or(0, |log| log.lines().count());
    let (mut kills, mut resumed) = (0, 0);
    for _ in 0..10 {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        // So many steps later, and some milliseconds more: in the middle of whatever it does then.
        let moment = steps() + (random >> 16) as usize % 60;
        let mut command = sandbox.command(&arguments);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the binary starts");
        while steps() < moment && child.try_wait().expect("a child").is_none() {
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_millis(u64::from(random >> 8) % 15));
        let ended = child.try_wait().expect("a child").is_some();
        child.kill().expect("SIGKILL");
        child.wait().expect("it ends");
        if ended {
            break;
        }
        kills += 1;
        let names = if sandbox.path("run").exists() { sandbox.names("run") } else { Vec::new() };
        resumed += usize::from(names.iter().any(|name| name.starts_with("checkpoint-")));
    }
    assert!(kills >= 3 && resumed >= 1, "{kills} kills, and {resumed} checkpoints after them");
    if !sandbox.path("model").exists() {
        let said = sandbox.run(&arguments);
        assert!(said.starts_with("exit code: 0") && said.contains("going on after step "), "{said}");
    }
    assert!(weights(&sandbox, "model") == unbroken, "other weights after {kills} kills");
    assert!(sandbox.names("run").iter().all(|name| !name.starts_with('.')), "{:?}", sandbox.names("run"));
    let steps = sandbox.read("run/metrics.jsonl").lines().filter(|line| line.starts_with("{\"step\"")).count();
    assert_eq!(steps, 30 * 16, "the log has each step once");
    assert_eq!(sandbox.read("run/metrics.jsonl"), sandbox.read("model/metrics.jsonl"));
}

#[test]
fn an_interrupt_writes_a_checkpoint_instead_of_a_model() {
    let (sandbox, unbroken) = (sandbox(), unbroken());
    let arguments = [&TRAIN[..], &CHECKPOINT].concat();
    let mut command = sandbox.command(&arguments);
    let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the binary starts");
    while !sandbox.path("run/checkpoint-7").exists() && !sandbox.path("run/checkpoint-14").exists() {
        std::thread::sleep(Duration::from_millis(1));
    }
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill");
    assert!(killed.success());
    let ended = child.wait_with_output().expect("it ends");
    let said = String::from_utf8(ended.stderr).expect("UTF-8");
    assert_eq!(ended.status.code(), Some(130), "{said}");
    let told = said.lines().find(|line| line.starts_with("stopped after step ")).expect("how it ended");
    assert!(told.ends_with("the same command with `--resume` goes on from the checkpoint in run"), "{told}");
    assert!(!sandbox.path("model").exists());
    let said = sandbox.run(&arguments);
    assert!(said.starts_with("exit code: 0") && said.contains("going on after step "), "{said}");
    assert!(weights(&sandbox, "model") == unbroken);
}

#[test]
fn a_checkpoint_survives_a_disk_without_room() {
    let (sandbox, unbroken) = (sandbox(), unbroken());
    let arguments = [&TRAIN[..], &CHECKPOINT].concat();
    let mut child = sandbox.command(&arguments).spawn().expect("the binary starts");
    while !sandbox.path("run/checkpoint-7").exists() && !sandbox.path("run/checkpoint-14").exists() {
        std::thread::sleep(Duration::from_millis(5));
        assert!(child.try_wait().expect("a child").is_none(), "it ended");
    }
    child.kill().expect("SIGKILL");
    child.wait().expect("it ends");
    // No file may be larger than some kilobytes: weights cannot be written, and other files can.
    let script = format!("trap '' XFSZ; ulimit -f 64; exec {} \"$@\"", crate::support::ALBERTINE);
    let mut command = Command::new("sh");
    command.args(["-c", &script, "albertine"]).args(&arguments);
    sandbox.prepare(&mut command);
    let said = conversation(&command.output().expect("a shell"));
    assert!(said.starts_with("exit code: 2"), "{said}");
    assert!(said.contains("warning: no checkpoint after step "), "{said}");
    assert!(said.contains("the one before it is kept"), "{said}");
    assert_eq!(sandbox.names("run").len(), 2, "{:?}", sandbox.names("run"));
    let said = sandbox.run(&arguments);
    assert!(said.starts_with("exit code: 0") && said.contains("going on after step "), "{said}");
    assert!(weights(&sandbox, "model") == unbroken);
}

#[test]
fn a_checkpoint_of_another_training_is_refused() {
    let sandbox = sandbox();
    let short = |more: &[&str]| {
        let arguments = ["train", "--input", "train.csv", "--model", "./base", "--epochs", "1", "--output", "model"];
        sandbox.run(&[&arguments[..], more].concat())
    };
    assert!(short(&["--checkpoint", "run", "--resume"]).starts_with("exit code: 0"));
    std::fs::remove_dir_all(sandbox.path("model")).expect("the model");
    assert_conversation!(short(&["--checkpoint", "run"]), @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    a new classification head with 2 classes: bees, law
    error: there is already the checkpoint run/checkpoint-5
    hint: add `--resume` to go on from it, or name another folder with `--checkpoint`
    ");
    assert_conversation!(short(&["--checkpoint", "run", "--resume", "--learning-rate", "0.1"]), @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    a new classification head with 2 classes: bees, law
    error: the checkpoint run/checkpoint-5 is of another training: learning rate [SCORE] instead of 0.1
    hint: give the same settings, data and base model again, or name another folder with `--checkpoint`
    ");
    table(&sandbox, "train.csv", 161);
    assert_conversation!(short(&["--checkpoint", "run", "--resume"]), @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    a new classification head with 2 classes: bees, law
    error: the checkpoint run/checkpoint-5 is of another training: other training texts
    hint: give the same settings, data and base model again, or name another folder with `--checkpoint`
    ");
    assert_conversation!(short(&["--resume"]), @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: the following required arguments were not provided:
      --checkpoint <FOLDER>

    Usage: albertine train --output <FOLDER> --checkpoint <FOLDER> --input <PATH|GLOB|URL|-> --model <NAME|PATH|ORG/REPO|URL> --epochs <N> --resume

    For more information, try '--help'.
    ");
}
