//! How many processors this process may use: what its affinity allows, and no more than the quota of its cgroup.
//!
//! `std::thread::available_parallelism` says nearly that, but rounds a quota down: a container with one and a half
//! processors would get one worker, and nobody to take over while that one blocks.

use std::{fs, path::Path, thread::available_parallelism};

const CGROUPS: &str = "/sys/fs/cgroup";

/// Processors granted to this process, a part of one counted as one; at least 1.
pub(crate) fn granted() -> usize {
    let memberships = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let quota = quota(Path::new(CGROUPS), &memberships).map_or(usize::MAX, |quota| quota.ceil() as usize);
    allowed().min(quota).max(1)
}

#[cfg(target_os = "linux")]
fn allowed() -> usize {
    match rustix::thread::sched_getaffinity(None) {
        Ok(set) => set.count() as usize,
        // More processors than the set has room for.
        Err(_) => available_parallelism().map_or(1, usize::from),
    }
}

#[cfg(not(target_os = "linux"))]
fn allowed() -> usize {
    available_parallelism().map_or(1, usize::from)
}

/// The smallest quota of the cgroup that a process is in and of those around it. `memberships` is its
/// `/proc/PID/cgroup` (cgroups(7)).
fn quota(root: &Path, memberships: &str) -> Option<f64> {
    let found = memberships.lines().filter_map(|line| {
        let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
        let path = path.trim_start_matches('/');
        if controllers.is_empty() {
            smallest(root, path, version_two)
        } else if controllers.split(',').any(|controller| controller == "cpu") {
            smallest(&root.join(controllers), path, version_one)
        } else {
            None
        }
    });
    found.reduce(f64::min)
}

/// Inside a container the path may be one of the host's: then only the root exists, and is the container's own.
fn smallest(root: &Path, path: &str, read: fn(&Path) -> Option<f64>) -> Option<f64> {
    Path::new(path).ancestors().filter_map(|group| read(&root.join(group))).reduce(f64::min)
}

/// `cpu.max`: microseconds in each period, and the period; `max` for no quota.
fn version_two(group: &Path) -> Option<f64> {
    let text = fs::read_to_string(group.join("cpu.max")).ok()?;
    let (quota, period) = text.trim().split_once(' ')?;
    share(quota, period)
}

/// The same in two files; -1 for no quota.
fn version_one(group: &Path) -> Option<f64> {
    let read = |name| fs::read_to_string(group.join(name)).ok();
    share(read("cpu.cfs_quota_us")?.trim(), read("cpu.cfs_period_us")?.trim())
}

fn share(quota: &str, period: &str) -> Option<f64> {
    let (quota, period) = (quota.parse::<f64>().ok()?, period.parse::<f64>().ok()?);
    (quota > 0.0 && period > 0.0).then(|| quota / period)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    /// A folder like /sys/fs/cgroup, removed at the end.
    struct Cgroups(PathBuf);

    impl Cgroups {
        fn new(name: &str, files: &[(&str, &str)]) -> Self {
            let root = std::env::temp_dir().join(format!("andon-cgroups-{name}-{}", std::process::id()));
            for (file, text) in files {
                let path = root.join(file);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, text).unwrap();
            }
            Self(root)
        }
    }

    impl Drop for Cgroups {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn smallest_quota_on_the_way_to_the_root_counts() {
        let files = [("a/cpu.max", "150000 100000\n"), ("a/b/cpu.max", "max 100000\n")];
        let cgroups = Cgroups::new("nested", &files);
        assert_eq!(quota(&cgroups.0, "0::/a/b\n"), Some(1.5));
    }

    #[test]
    fn path_of_the_host_falls_back_to_the_root() {
        let cgroups = Cgroups::new("host", &[("cpu.max", "50000 100000\n")]);
        assert_eq!(quota(&cgroups.0, "0::/docker/0123\n"), Some(0.5));
    }

    #[test]
    fn version_one_has_a_folder_for_the_controller() {
        let files = [("cpu,cpuacct/a/cpu.cfs_quota_us", "300000\n"), ("cpu,cpuacct/a/cpu.cfs_period_us", "100000\n")];
        let cgroups = Cgroups::new("one", &files);
        assert_eq!(quota(&cgroups.0, "5:memory:/a\n4:cpu,cpuacct:/a\n"), Some(3.0));
    }

    #[test]
    fn no_quota_is_no_bound() {
        let files = [("cpu/cpu.cfs_quota_us", "-1\n"), ("cpu/cpu.cfs_period_us", "100000\n")];
        let cgroups = Cgroups::new("none", &files);
        assert_eq!(quota(&cgroups.0, "4:cpu:/\n0::/\n"), None);
    }

    #[test]
    fn at_least_one_processor_is_granted() {
        assert!(granted() >= 1);
    }
}
