//! Disks that are full or read-only. Mounting needs root; without it, the tests say so and end.
#![cfg(target_os = "linux")]

use std::path::{Path, PathBuf};
use std::process::Command;

use ddg_agentic::files::{FileError, FileManager};
use futures::stream;

use super::within;

/// A mounted folder, for as long as it is held.
struct Mount(PathBuf);

impl Mount {
    /// `None` if this process may not mount.
    fn new(at: &Path, options: &[&str]) -> Option<Self> {
        std::fs::create_dir_all(at).unwrap();
        let mounted = Command::new("mount").args(options).arg(at).output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return Some(Self(at.to_owned()));
        }
        println!("skipped: this process may not mount {options:?}");
        None
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).output();
    }
}

/// [files 6] [files 10]
#[tokio::test]
async fn a_full_disk_leaves_nothing_behind_and_the_manager_usable() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().join("small");
    let options = ["-t", "tmpfs", "-o", "size=256k", "tmpfs"];
    let Some(_mount) = Mount::new(&at, &options) else { return };
    let files = FileManager::builder().save_dir(&at).build().await.unwrap();
    for _ in 0..3 {
        let error = files.create_from_bytes(vec![1; 400_000], "big.bin").await.unwrap_err();
        assert!(matches!(error, FileError::Io { action: "write", .. }), "{error}");
        let pieces = stream::iter((0..10).map(|_| Ok(vec![1; 40_000])));
        let error = files.create_from_stream(pieces, "big.bin").await.unwrap_err();
        assert!(matches!(error, FileError::Io { action: "write", .. }), "{error}");
        assert_eq!((files.list().len(), within(&at).len()), (0, 0));
    }
    let small = files.create_from_bytes(vec![1; 100_000], "small.bin").await.unwrap();
    assert_eq!(files.read(small.id()).await.unwrap().len(), 100_000);
    assert_eq!(files.close().await.unwrap().deleted, [small]);
}

/// [files 9] [files 10]
#[tokio::test]
async fn a_disk_that_cannot_be_written_to_is_reported_and_can_be_again() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().join("disk");
    let Some(_mount) = Mount::new(&at, &["-t", "tmpfs", "-o", "size=1m", "tmpfs"]) else { return };
    let files = FileManager::builder().save_dir(&at).build().await.unwrap();
    let file = files.create_from_bytes("tea", "tea.txt").await.unwrap();
    let remount = |mode: &str| {
        let options = format!("remount,{mode}");
        Command::new("mount").args(["-o", &options]).arg(&at).status().unwrap().success()
    };
    if !remount("ro") {
        println!("skipped: this process may not remount");
        return;
    }
    let error = files.create_from_bytes("x", "x").await.unwrap_err();
    assert!(error.to_string().contains("Read-only file system"), "{error}");
    assert_eq!(files.read(file.id()).await.unwrap(), b"tea");
    let report = files.prune().await;
    assert_eq!(report.failed[0].file, file);
    assert!(report.failed[0].error.to_string().starts_with("could not remove "));
    assert!(files.delete(file.id()).await.is_err());
    assert_eq!(files.look_up(file.id()).unwrap(), file);
    assert!(remount("rw"));
    files.create_from_bytes("x", "x").await.unwrap();
    assert_eq!(files.close().await.unwrap().deleted.len(), 2);
}
