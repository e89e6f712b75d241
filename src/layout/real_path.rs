//! Which directory a path leads to, whether or not it is there yet.

use std::io::{self, ErrorKind};
use std::path::{Component, Path, PathBuf};

use super::{LayoutError, LayoutFault};
use crate::image::{CanonicalPlace, Destination, RealPaths};

/// Returns what a place is, links on disk followed.
///
/// # Errors
/// A directory of which that cannot be told; see [`real_paths`].
pub fn canonical_place(place: &Destination) -> Result<CanonicalPlace, LayoutError> {
    let real_paths = real_paths([place])?;
    Ok(CanonicalPlace::new(place, &real_paths))
}

/// Finds out where the directories among `places` really are.
///
/// # Errors
/// A path with `..` behind a link, a link that leads nowhere, and what the file system refuses to tell.
pub fn real_paths<'a>(
    places: impl IntoIterator<Item = &'a Destination>,
) -> Result<RealPaths, LayoutError> {
    let mut found = RealPaths::default();
    for place in places {
        if let Destination::Layout(path) = place {
            let real = real_path(path).map_err(|fault| fault.at(path))?;
            found.insert(path.clone(), real);
        }
    }
    Ok(found)
}

/// Returns the path, without links, of the deepest part of `path` that is there, and what follows it.
fn real_path(path: &Path) -> Result<PathBuf, LayoutFault> {
    let plain = without_up(path)?;
    for there in plain.ancestors() {
        let start = match there.as_os_str().is_empty() {
            true => Path::new("."),
            false => there,
        };
        match start.canonicalize() {
            Ok(real) => {
                let rest = plain.strip_prefix(there).unwrap_or(Path::new(""));
                return Ok(real.join(rest).components().collect());
            }
            Err(error) if is_absence(&error) && is_link(start)? => {
                return Err(LayoutFault::DanglingLink(start.to_owned()));
            }
            Err(error) if is_absence(&error) => {}
            Err(error) => return Err(LayoutFault::io("resolve its path")(error)),
        }
    }
    Err(LayoutFault::Absent)
}

/// Takes `..` out with what is before it. Where that is a link the path leads elsewhere than it reads,
/// and is refused; what is not there yet becomes a directory.
fn without_up(path: &Path) -> Result<PathBuf, LayoutFault> {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir if plain.file_name().is_some() => {
                if is_link(&plain)? {
                    return Err(LayoutFault::UpBehindLink(plain));
                }
                plain.pop();
            }
            Component::ParentDir if plain.has_root() => {}
            other => plain.push(other),
        }
    }
    Ok(plain)
}

fn is_link(path: &Path) -> Result<bool, LayoutFault> {
    match path.symlink_metadata() {
        Ok(metadata) => Ok(metadata.is_symlink()),
        Err(error) if is_absence(&error) => Ok(false),
        Err(error) => Err(LayoutFault::io("resolve its path")(error)),
    }
}

fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    /// A folder with `out/prod`, `out/dev` and links to them.
    fn tree() -> tempfile::TempDir {
        let tree = tempfile::tempdir().unwrap();
        let at = |name: &str| tree.path().join(name);
        for name in ["out/prod", "out/dev", "a/b"] {
            fs::create_dir_all(at(name)).unwrap();
        }
        for (link, to) in [
            ("link", "out/prod"),
            ("twice", "link"),
            ("a/up", "../out/dev"),
            ("all", "out"),
            ("round", "round"),
            ("nowhere", "out/none"),
        ] {
            symlink(to, at(link)).unwrap();
        }
        fs::write(at("file"), "").unwrap();
        tree
    }

    #[test]
    fn promise_5_a_directory_is_the_same_by_every_path() {
        let tree = tree();
        let root = tree.path().canonicalize().unwrap();
        let real = |path: &str| real_path(&tree.path().join(path)).unwrap();
        let spellings: [(&[&str], &str); 5] = [
            (
                &[
                    "out/prod",
                    "out//prod/",
                    "./out/./prod",
                    "out/dev/../prod",
                    "a/b/../../out/prod",
                    "none/../out/prod",
                    "link",
                    "link/",
                    "twice",
                    "all/prod",
                ],
                "out/prod",
            ),
            (
                &["out/new/x", "all/new/x", "all/new/y/../x", "all/./new//x/"],
                "out/new/x",
            ),
            (&["link/sub", "twice/sub", "all/prod/sub"], "out/prod/sub"),
            (&["a/up", "all/dev"], "out/dev"),
            (&["file/x"], "file/x"),
        ];
        for (paths, expected) in spellings {
            for path in paths {
                assert_eq!(real(path), root.join(expected), "{path}");
            }
        }
    }

    #[test]
    fn promise_5_a_path_that_reads_otherwise_than_it_leads_is_refused() {
        let tree = tree();
        for path in [
            "link/../prod",
            "a/up/../prod",
            "a/up/./../prod",
            "a/up//../prod",
            "all/../out/prod",
            "twice/../x",
            "nowhere/../out/prod",
            "round/../x",
        ] {
            let fault = real_path(&tree.path().join(path)).unwrap_err();
            assert!(matches!(fault, LayoutFault::UpBehindLink(_)), "{path}");
        }
        for path in ["nowhere", "nowhere/x"] {
            let fault = real_path(&tree.path().join(path)).unwrap_err();
            assert!(matches!(fault, LayoutFault::DanglingLink(_)), "{path}");
        }
        let fault = real_path(&tree.path().join("round/x")).unwrap_err();
        assert!(matches!(fault, LayoutFault::Io { .. }), "{fault}");
    }

    #[test]
    fn promise_5_paths_of_the_process_itself_lead_to_the_same_directory() {
        let here = real_path(Path::new("new/layout")).unwrap();
        let pid = std::process::id();
        for path in [
            "./new/layout".to_owned(),
            "/proc/self/cwd/new/layout".to_owned(),
            format!("/proc/{pid}/cwd/new/layout"),
            format!("/proc/self/root{}", here.display()),
            "/proc/thread-self/cwd/new/layout".to_owned(),
        ] {
            assert_eq!(real_path(Path::new(&path)).unwrap(), here, "{path}");
        }
        let up = real_path(Path::new("/proc/self/cwd/../x")).unwrap_err();
        assert!(matches!(up, LayoutFault::UpBehindLink(_)));
    }
}
