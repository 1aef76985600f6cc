//! What was learned of the routes, kept in `profiles.json` of the state directory from one start to the next.
//!
//! The file is replaced as a whole, by a rename: whoever reads it sees an old or a new one, never half of one. What it
//! says is only where learning begins, so a file that cannot be read is left behind with a warning. Routes that were not
//! asked for since the start keep what was known of them.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use andon_dispatch::SavedProfile;
use serde::{Deserialize, Serialize};

use crate::queue::RouteProfiles;

const FILE: &str = "profiles.json";

/// The only version so far.
const VERSION: u32 = 1;

#[derive(Debug, Serialize, Deserialize)]
struct Contents {
    version: u32,
    /// By route.
    profiles: BTreeMap<String, SavedProfile>,
}

/// Most routes that are kept; of more, those go that were not asked for since the start.
const MOST_ROUTES: usize = 8192;

/// The file of a state directory, and what it said at the start.
#[derive(Debug)]
pub(crate) struct ProfileFile {
    path: PathBuf,
    earlier: BTreeMap<String, SavedProfile>,
}

impl ProfileFile {
    /// Makes the directory, if it is not there, and reads what an earlier server has left in it.
    pub(crate) fn open(directory: &Path) -> io::Result<Self> {
        fs::create_dir_all(directory)?;
        let path = directory.join(FILE);
        let earlier = read(&path).unwrap_or_else(|error| {
            if error.kind() != io::ErrorKind::NotFound {
                let path = path.display();
                tracing::warn!(
                    "what was learned of the routes cannot be read from {path} and is learned anew: {error}"
                );
            }
            BTreeMap::new()
        });
        Ok(Self { path, earlier })
    }

    /// What an earlier server has learned.
    pub(crate) fn earlier(&self) -> RouteProfiles {
        self.earlier.iter().map(|(route, profile)| (route.clone(), *profile)).collect()
    }

    /// Replaces the file. It blocks; a failure is logged and changes nothing.
    pub(crate) fn save(&self, profiles: RouteProfiles) {
        if let Err(error) = self.write(profiles) {
            tracing::warn!("what was learned of the routes cannot be kept in {}: {error}", self.path.display());
        }
    }

    fn write(&self, profiles: RouteProfiles) -> io::Result<()> {
        let mut profiles: BTreeMap<String, SavedProfile> = profiles.into_iter().collect();
        let room = MOST_ROUTES.saturating_sub(profiles.len());
        let others = self.earlier.iter().filter(|(route, _)| !profiles.contains_key(*route)).take(room);
        let others: Vec<_> = others.map(|(route, profile)| (route.clone(), *profile)).collect();
        profiles.extend(others);
        let contents = Contents { version: VERSION, profiles };
        let draft = self.path.with_extension("json.new");
        fs::write(&draft, serde_json::to_vec_pretty(&contents)?)?;
        fs::rename(&draft, &self.path)
    }
}

fn read(path: &Path) -> io::Result<BTreeMap<String, SavedProfile>> {
    let contents: Contents = serde_json::from_slice(&fs::read(path)?)?;
    if contents.version != VERSION {
        return Err(io::Error::other(format!("it has version {}", contents.version)));
    }
    Ok(contents.profiles)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder which is removed with all in it.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Self {
            Self(std::env::temp_dir().join(format!("andon-profiles-{name}-{}", std::process::id())))
        }

        fn file(&self) -> ProfileFile {
            ProfileFile::open(&self.0.join("state")).unwrap()
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn what_was_saved_is_loaded() {
        let scratch = Scratch::new("saved");
        let file = scratch.file();
        assert!(file.earlier().is_empty());
        let profile = SavedProfile { calls: 7, run_time: 0.25, ..SavedProfile::default() };
        file.save(vec![("GET /a".to_owned(), profile), ("GET /b".to_owned(), SavedProfile::default())]);
        file.save(vec![("GET /a".to_owned(), profile)]);
        assert_eq!(scratch.file().earlier(), [("GET /a".to_owned(), profile)]);
        assert_eq!(fs::read_dir(scratch.0.join("state")).unwrap().count(), 1, "no draft is left");
    }

    #[test]
    fn route_that_was_not_asked_for_keeps_what_was_known_of_it() {
        let scratch = Scratch::new("kept");
        let route = |name: &str, calls| (name.to_owned(), SavedProfile { calls, ..SavedProfile::default() });
        scratch.file().save(vec![route("GET /a", 1), route("GET /b", 1)]);
        scratch.file().save(vec![route("GET /b", 2)]);
        assert_eq!(scratch.file().earlier(), [route("GET /a", 1), route("GET /b", 2)]);
    }

    #[test]
    fn file_that_cannot_be_understood_is_no_failure() {
        let scratch = Scratch::new("garbled");
        let file = scratch.file();
        for text in ["", "{", "[]", r#"{"version":2,"profiles":{}}"#] {
            fs::write(&file.path, text).unwrap();
            assert!(scratch.file().earlier().is_empty(), "{text}");
        }
    }
}
