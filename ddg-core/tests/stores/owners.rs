//! The end of a process is only detected if the process is visible from here.

use ddg_core::checkpoint::Owner;

#[test]
fn a_name_never_ends() {
    assert!(!Owner::named("ann").has_ended());
    assert!(!Owner::kept("ann", Some("what another version wrote".to_owned())).has_ended());
}

#[cfg(target_os = "linux")]
#[test]
fn a_process_is_known_by_its_id_and_its_start() {
    let here = Owner::this_process();
    assert!(!here.has_ended());
    let process = here.process().unwrap();
    let [boot, namespace, user, pid, start] = *process.split(' ').collect::<Vec<_>>() else {
        panic!("{process}")
    };
    let has_ended = |words: [&str; 5]| Owner::kept("it", Some(words.join(" "))).has_ended();

    let no_pid = u32::MAX.to_string();
    assert!(!has_ended([boot, namespace, user, pid, start]));
    assert!(has_ended([boot, namespace, user, &no_pid, start]));
    assert!(has_ended([boot, namespace, user, pid, "1"]));
    // On another machine, in a container, hidden from this user: it cannot be seen.
    assert!(!has_ended(["another", namespace, user, &no_pid, start]));
    assert!(!has_ended([boot, "pid:[1]", user, &no_pid, start]));
    assert!(!has_ended([boot, namespace, "another", &no_pid, start]));
}
