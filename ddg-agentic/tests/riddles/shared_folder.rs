//! Paths that stay in the shared folder.

use ddg_agentic::riddles::SharedFolder;

use crate::place::Place;

/// [riddles 2]
#[test]
fn paths_stay_in_the_folder() {
    let outside = Place::new();
    outside.write("secret", "s");
    let place = Place::new();
    place.write("a.txt", "a");
    std::os::unix::fs::symlink(outside.path(), place.path().join("link")).expect("a link");
    let folder = SharedFolder::open(place.path()).expect("the folder");
    assert_eq!(folder.read_text("./a.txt").expect("it is inside"), "a");
    let absolute = outside.path().join("secret");
    for path in
        ["../a.txt", "b/../../a.txt", "", "link/secret", "a\0b", absolute.to_str().expect("text")]
    {
        let error = folder.read_text(path).expect_err("it is outside").to_string();
        assert!(error.contains("leads out of the shared folder"), "{path:?}: {error}");
    }
    let error = folder.write("link/new", b"x").expect_err("it is outside").to_string();
    assert!(error.contains("leads out of the shared folder"), "{error}");
    let error = folder.read_text("b.txt").expect_err("it is missing").to_string();
    assert_eq!(error, "file `b.txt` of the shared folder: it does not exist");
}

/// [riddles 16]
#[test]
fn a_file_is_moved_into_place_whole() {
    let place = Place::new();
    let folder = SharedFolder::open(place.path()).expect("the folder");
    folder.write("riddle/text-0-0.txt", b"one").expect("it is written");
    folder.write("riddle/text-0-0.txt", b"two").expect("it is replaced");
    assert_eq!(folder.read_text("riddle/text-0-0.txt").expect("it is there"), "two");
    let names = std::fs::read_dir(place.path().join("riddle")).expect("the folder");
    assert_eq!(names.count(), 1, "nothing half-made is left");
}
