//! How many files and connections the process may have open.

/// Descriptors that are kept for files: those that are labeled, models, the log.
const FOR_FILES: usize = 128;

/// Raises the process's limit of open files as far as the system lets it, and returns how many connections that leaves
/// room for, at most `wanted`. Services are often started with a limit of 1024, which is there for programs that use
/// `select` (see systemd.exec(5), "LimitNOFILE").
pub(crate) fn room_for_connections(wanted: usize) -> usize {
    let Some(limit) = raised() else { return wanted };
    let room = limit.saturating_sub(FOR_FILES).max(1);
    if room < wanted {
        tracing::warn!("at most {room} connections at a time, because the process may open {limit} files (ulimit -n)");
    }
    room.min(wanted)
}

/// The limit, after it is raised; `None` where there is none.
#[cfg(unix)]
fn raised() -> Option<usize> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let now = getrlimit(Resource::Nofile);
    // if it cannot be raised it stays as it is
    let _ = setrlimit(Resource::Nofile, Rlimit { current: now.maximum, maximum: now.maximum });
    getrlimit(Resource::Nofile).current.map(|limit| usize::try_from(limit).unwrap_or(usize::MAX))
}

#[cfg(not(unix))]
fn raised() -> Option<usize> {
    None
}
