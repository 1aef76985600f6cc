//! Watching for changed Python files, for `--reload`.
//!
//! Each folder is watched by itself, so that those which never hold the application's code (virtual environments,
//! caches, hidden folders, installed packages) cost nothing, however many there are.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    time::{Instant, timeout_at},
};

use crate::fleet::Event;

/// Editors write a file in several steps, and several files at once: a change counts when so long nothing followed.
const QUIET: Duration = Duration::from_millis(200);

/// Folders by name that never hold the application's code.
const IGNORED: [&str; 4] = ["__pycache__", "node_modules", "site-packages", "venv"];

/// Watches until it is dropped.
pub(crate) struct Watcher(tokio::task::AbortHandle);

impl Drop for Watcher {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Sends [`Event::Changed`] after each change of a Python file in or below the directories.
pub(crate) fn start(directories: &[PathBuf], events: UnboundedSender<Event>) -> notify::Result<Watcher> {
    let (sender, seen) = unbounded_channel();
    let mut watcher = notify::recommended_watcher(move |event| {
        // The receiver is gone where the watching has ended.
        let _ = sender.send(event);
    })?;
    for directory in directories {
        // Events bear the path under which a folder is watched; an absolute one has no hidden `.` in it.
        let root = std::path::absolute(directory)?;
        watcher.watch(&root, RecursiveMode::NonRecursive)?;
        folders_below(&root).iter().try_for_each(|folder| watcher.watch(folder, RecursiveMode::NonRecursive))?;
        tracing::info!("watching {} for changes of Python files", root.display());
    }
    let task = tokio::spawn(notice(watcher, seen, events));
    Ok(Watcher(task.abort_handle()))
}

async fn notice(
    mut watcher: RecommendedWatcher,
    mut seen: UnboundedReceiver<notify::Result<notify::Event>>,
    events: UnboundedSender<Event>,
) {
    while let Some(event) = seen.recv().await {
        let Some(mut path) = python_file(&mut watcher, event) else {
            continue;
        };
        // Other files, such as a log which the application writes, do not put off the end of the wait.
        let mut quiet = Instant::now() + QUIET;
        while let Ok(Some(event)) = timeout_at(quiet, seen.recv()).await {
            if let Some(next) = python_file(&mut watcher, event) {
                path = next;
                quiet = Instant::now() + QUIET;
            }
        }
        tracing::info!("{} has changed; the workers are started anew", path.display());
        if events.send(Event::Changed).is_err() {
            return;
        }
    }
}

/// The Python file that the event says was changed, if so. Folders that have come are watched from now on.
fn python_file(watcher: &mut RecommendedWatcher, event: notify::Result<notify::Event>) -> Option<PathBuf> {
    let event = match event {
        Ok(event) => event,
        Err(error) => {
            tracing::warn!("watching files: {error}");
            return None;
        }
    };
    if !matches!(event.kind, EventKind::Create(_) | EventKind::Modify(_) | EventKind::Remove(_)) {
        return None;
    }
    let mut changed = None;
    for path in event.paths {
        if path.is_dir() {
            changed = watch_new_folder(watcher, &path).or(changed);
        } else if is_python_file(&path) {
            forget_compiled(&path);
            changed = Some(path);
        }
    }
    changed
}

/// Watches a folder that has come, and finds a Python file that came with it.
fn watch_new_folder(watcher: &mut RecommendedWatcher, folder: &Path) -> Option<PathBuf> {
    if is_ignored(folder) {
        return None;
    }
    let mut found = None;
    for folder in std::iter::once(folder.to_owned()).chain(folders_below(folder)) {
        if let Err(error) = watcher.watch(&folder, RecursiveMode::NonRecursive) {
            tracing::warn!("cannot watch {}: {error}", folder.display());
        }
        found = found.or_else(|| entries(&folder).find(|path| is_python_file(path)));
    }
    found
}

/// Removes what Python has compiled of a module. It would take that for up to date if the source were changed within
/// the same second and to the same size (PEP 3147, PEP 552).
fn forget_compiled(source: &Path) {
    let (Some(folder), Some(module)) = (source.parent(), source.file_stem()) else {
        return;
    };
    // Such as `main.cpython-313.pyc` and `main.cpython-313.opt-1.pyc`.
    let is_of_module = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().as_encoded_bytes();
        name.strip_prefix(module.as_encoded_bytes())
            .is_some_and(|rest| rest.starts_with(b".") && rest.ends_with(b".pyc"))
    };
    for compiled in entries(&folder.join("__pycache__")).filter(is_of_module) {
        if let Err(error) = std::fs::remove_file(&compiled) {
            tracing::debug!("cannot remove {}: {error}", compiled.display());
        }
    }
}

/// All folders below which are not ignored. Links are not followed: they may lead in a circle.
fn folders_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        let below = entries(&folder).filter(|path| path.is_dir() && !path.is_symlink() && !is_ignored(path));
        let start = found.len();
        found.extend(below);
        open.extend_from_slice(&found[start..]);
    }
    found
}

fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> {
    std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path())
}

fn is_python_file(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "py") && !is_hidden(path)
}

/// Editors keep temporary files under hidden names.
fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
}

fn is_ignored(folder: &Path) -> bool {
    let by_name = folder.file_name().is_some_and(|name| IGNORED.iter().any(|ignored| name == *ignored));
    by_name || is_hidden(folder) || folder.join("pyvenv.cfg").is_file()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tokio::time::timeout;

    use super::*;

    /// A folder which is removed with all in it.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("andon-watch-{name}-{}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    /// Longer than any change takes to be noticed.
    const LONG: Duration = Duration::from_secs(20);

    async fn changed(events: &mut UnboundedReceiver<Event>) {
        let event = timeout(LONG, events.recv()).await.unwrap();
        assert!(matches!(event, Some(Event::Changed)), "{event:?}");
    }

    #[test]
    fn only_visible_python_files_count() {
        assert!(is_python_file(Path::new("app/main.py")));
        for path in ["app/main.pyc", "app/.#main.py", "app/notes.txt", "py"] {
            assert!(!is_python_file(Path::new(path)), "{path}");
        }
    }

    #[test]
    fn folders_without_code_are_not_watched() {
        let scratch = Scratch::new("folders");
        for folder in ["app/api", "__pycache__", ".git/objects", "env/lib", "venv/lib", "node_modules/x"] {
            fs::create_dir_all(scratch.0.join(folder)).unwrap();
        }
        fs::write(scratch.0.join("env/pyvenv.cfg"), "").unwrap();
        let mut found = folders_below(&scratch.0);
        found.sort();
        assert_eq!(found, [scratch.0.join("app"), scratch.0.join("app/api")]);
    }

    #[test]
    fn what_was_compiled_of_a_changed_module_is_removed_and_nothing_else() {
        let scratch = Scratch::new("compiled");
        let cache = scratch.0.join("__pycache__");
        fs::create_dir_all(&cache).unwrap();
        for name in ["main.cpython-311.pyc", "main.cpython-311.opt-1.pyc", "main_menu.cpython-311.pyc", "main.notes"] {
            fs::write(cache.join(name), "").unwrap();
        }
        forget_compiled(&scratch.0.join("main.py"));
        let mut left: Vec<PathBuf> = entries(&cache).collect();
        left.sort();
        assert_eq!(left, [cache.join("main.notes"), cache.join("main_menu.cpython-311.pyc")]);
    }

    #[tokio::test]
    async fn burst_of_changes_is_told_once() {
        let scratch = Scratch::new("burst");
        let (sender, mut events) = unbounded_channel();
        let _watcher = start(std::slice::from_ref(&scratch.0), sender).unwrap();
        for number in 0..5 {
            fs::write(scratch.0.join(format!("module{number}.py")), "").unwrap();
        }
        changed(&mut events).await;
        fs::write(scratch.0.join("notes.txt"), "").unwrap();
        assert!(timeout(QUIET * 3, events.recv()).await.is_err());
    }

    #[tokio::test]
    async fn file_in_a_folder_that_came_later_is_noticed() {
        let scratch = Scratch::new("later");
        let (sender, mut events) = unbounded_channel();
        let _watcher = start(std::slice::from_ref(&scratch.0), sender).unwrap();
        fs::create_dir_all(scratch.0.join("package")).unwrap();
        fs::write(scratch.0.join("package/module.py"), "").unwrap();
        changed(&mut events).await;
        fs::write(scratch.0.join("package/module.py"), "changed").unwrap();
        changed(&mut events).await;
    }
}
