//! SQLite files on disks that are full, fail, or cannot be written to, now and then.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ddg_core::checkpoint::{CheckpointStore, Claim, Entry, RunStatus, SqliteStore, StoreError};

use crate::programs;
use crate::random_graphs::Dice;

/// Which test has started this process, and its folder.
const ROLE: &str = "DDG_TEST_ROLE";
const FOLDER: &str = "DDG_TEST_FOLDER";

/// What a trouble is, by the name of a file: the library fails as long as it exists.
const TROUBLES: [&str; 3] = ["full", "io", "read-only"];

/// This test program, as a process with a role in a folder.
fn child(role: &str, folder: &Path) -> (String, Vec<(&'static str, String)>) {
    let program = std::env::current_exe().unwrap().display().to_string();
    (program, vec![(ROLE, role.to_owned()), (FOLDER, folder.display().to_string())])
}

#[track_caller]
fn succeeds(command: &mut Command) -> String {
    let done = command.output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(done.status.success(), "{said}{}", String::from_utf8_lossy(&done.stderr));
    assert!(said.contains("all is well"), "{said}");
    said
}

const AS_CHILD: [&str; 3] = ["--exact", "sqlite::a_process_with_a_faulty_disk", "--nocapture"];

/// [X15] Writes fail as on a full disk, as on a broken one (and syncs with them), and as on one that is
/// mounted for reading.
#[test]
fn random_programs_on_a_faulty_disk() {
    let folder = tempfile::tempdir().unwrap();
    let library = folder.path().join("disk.so");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/stores/sqlite_faults/disk.c");
    let compiled = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .args([&library, Path::new(source)])
        .status();
    assert!(compiled.unwrap().success());
    let (program, vars) = child("library", folder.path());
    let mut command = Command::new(program);
    command.args(AS_CHILD).envs(vars).env("LD_PRELOAD", library);
    command.env("DDG_TEST_FAULT", folder.path().join("trouble"));
    println!("{}", succeeds(&mut command));
}

/// [X15] A file system that is really full, and one that is really mounted for reading.
#[test]
fn random_programs_on_a_small_file_system() {
    let folder = tempfile::tempdir().unwrap();
    // A namespace of mounts of its own, which ends with the process.
    let unshared = ["--mount", "--map-root-user"];
    let may = Command::new("unshare").args(unshared).arg("true").status();
    if !may.is_ok_and(|status| status.success()) {
        eprintln!("NOT TESTED: no namespace of mounts can be made here (unshare --mount)");
        return;
    }
    let (program, vars) = child("file system", folder.path());
    let mount = format!(
        "mount -t tmpfs -o size=8m tmpfs '{}' && exec '{program}' {}",
        folder.path().display(),
        AS_CHILD.join(" ")
    );
    let mut command = Command::new("unshare");
    command.args(unshared).args(["sh", "-c", &mount]).envs(vars);
    println!("{}", succeeds(&mut command));
}

/// What the other tests start as processes of their own; without a role, there is nothing to do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_with_a_faulty_disk() {
    let (Ok(role), Ok(folder)) = (std::env::var(ROLE), std::env::var(FOLDER)) else { return };
    let folder = PathBuf::from(folder);
    if role == "file system" {
        read_only(&folder).await;
    }
    let trouble: Box<dyn Fn(Option<usize>) + Send> = match role.as_str() {
        "library" => Box::new(by_library(folder.clone())),
        _ => Box::new(by_filling(&folder)),
    };
    let store: Arc<dyn CheckpointStore> =
        Arc::new(SqliteStore::open(folder.join("runs.db")).await.unwrap());
    let over = Arc::new(AtomicBool::new(false));
    let is_over = Arc::clone(&over);
    let weather = std::thread::spawn(move || {
        let mut dice = Dice::new(7);
        let mut n = 0;
        while !is_over.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(dice.below(60) as u64));
            trouble(Some(n));
            // Now and then longer than the shorter leases last.
            let most = if n % 40 == 39 { 900 } else { 40 };
            std::thread::sleep(Duration::from_millis(dice.below(most) as u64));
            trouble(None);
            n += 1;
        }
        n
    });
    let n_again = programs::check(&store).await;
    over.store(true, Ordering::Relaxed);
    println!("{} troubles; {n_again} kickoffs ran again", weather.join().unwrap());
    println!("\nall is well");
}

/// The `n`th trouble, or none any more, of the library.
fn by_library(folder: PathBuf) -> impl Fn(Option<usize>) + Send {
    let file = move |trouble: &str| folder.join(format!("trouble.{trouble}"));
    move |n| match n {
        Some(n) => fs::write(file(TROUBLES[n % TROUBLES.len()]), "").unwrap(),
        None => TROUBLES.iter().for_each(|trouble| _ = fs::remove_file(file(trouble))),
    }
}

/// Fills the file system, and makes room again.
fn by_filling(folder: &Path) -> impl Fn(Option<usize>) + Send + use<> {
    use std::io::Write;
    let filler = folder.join("filler");
    move |n| match n {
        Some(_) => {
            let mut file = fs::File::create(&filler).unwrap();
            while file.write_all(&[0; 4096]).is_ok() {}
        }
        None => fs::remove_file(&filler).unwrap(),
    }
}

/// A file system that is mounted for reading when the store is opened, and for writing later.
async fn read_only(folder: &Path) {
    let path = folder.join("read-only.db");
    let store = SqliteStore::open(&path).await.unwrap();
    let id = ddg_core::checkpoint::RunId::new("run").unwrap();
    let lease = store.create(&id, "automa", &Claim::default()).await.unwrap();
    store.put(&lease, RunStatus::Running, &[Entry::full(0, "zero")]).await.unwrap();
    store.release(&lease).await.unwrap();
    store.close().await;
    let remount = |how: &str| {
        let done =
            Command::new("mount").args(["-o", &format!("remount,{how}")]).arg(folder).status();
        assert!(done.unwrap().success(), "remount {how}");
    };
    remount("ro");
    let refused = match SqliteStore::open(&path).await {
        Ok(store) => store.acquire(&id, &Claim::default()).await.unwrap_err(),
        Err(refused) => refused,
    };
    assert!(
        matches!(refused, StoreError::Open { .. } | StoreError::Backend { .. }),
        "it says what is wrong: {refused}"
    );
    println!("on a read-only file system: {refused}");
    remount("rw");
    let store = SqliteStore::open(&path).await.unwrap();
    assert_eq!(store.latest(&id).await.unwrap().unwrap().full, b"zero");
    store.acquire(&id, &Claim::default()).await.unwrap();
    store.close().await;
}
