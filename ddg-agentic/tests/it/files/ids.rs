//! The format of ids, and the metadata of files.

use std::time::SystemTime;

use ddg_agentic::files::{FileError, FileManager, FilePurpose};

use super::provider::Provider;

/// [files 1]
#[tokio::test]
async fn a_local_id_has_a_uuid_and_a_remote_one_is_the_providers() {
    let files = FileManager::builder().remote(Provider::new()).build().await.unwrap();
    let local = files.create_from_bytes("tea", "tea.txt").local().await.unwrap();
    let uuid = local.id().strip_prefix("file-local-").unwrap();
    let uuid: Vec<_> = uuid.split('-').map(str::len).collect();
    assert_eq!(uuid, [8, 4, 4, 4, 12]);
    assert_eq!(local.id(), local.id().to_lowercase());
    assert!(local.is_local());

    let remote = files.create_from_bytes("tea", "tea.txt").remote().await.unwrap();
    assert_eq!(remote.id(), "file-up0");
    assert!(!remote.is_local());

    // The whole text is the id, or it is none.
    for text in
        [format!(" {}", local.id()), format!("{}\n", local.id()), format!("{}x", local.id())]
    {
        assert!(matches!(files.look_up(&text), Err(FileError::NotFound { .. })));
        assert!(files.sniff_value(&text.into()).is_empty());
    }
    files.close().await.unwrap();
}

/// [files 2]
#[tokio::test]
async fn a_file_is_described_as_it_was_asked_for() {
    let files = FileManager::new();
    let before = SystemTime::now();
    let file = files
        .create_from_bytes("a,b", "table.csv")
        .purpose("assistants_output")
        .metadata("rows", 1)
        .await
        .unwrap();
    assert_eq!((file.filename(), file.len(), file.is_empty()), ("table.csv", 3, false));
    assert_eq!(file.media_type(), "text/csv");
    assert_eq!(file.purpose(), &FilePurpose::AssistantsOutput);
    assert!((before..=SystemTime::now()).contains(&file.created()));
    assert_eq!(file.metadata()["rows"], 1);
    let path = files.path_of(file.id()).unwrap();
    assert!(!path.to_string_lossy().contains("table.csv"), "{path:?}");

    let odd = files.create_from_bytes("", "no ending").media_type("x/y").await.unwrap();
    assert_eq!((odd.media_type(), odd.is_empty()), ("x/y", true));
    files.close().await.unwrap();
}

/// [files 2]
#[tokio::test]
async fn a_purpose_is_one_that_the_remote_side_knows() {
    let files = FileManager::builder().remote(Provider::new()).build().await.unwrap();
    let vision = files.create_from_bytes("x", "x.png").purpose("vision").await.unwrap();
    assert_eq!(vision.purpose(), &FilePurpose::Other("vision".into()));
    let error = files.create_from_bytes("x", "x.png").purpose("dreams").await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "purpose `dreams` is not known to the remote side, which knows assistants, \
         assistants_output, vision: use `assistants` or `assistants_output`"
    );
    assert_eq!(files.list().len(), 1);

    let alone = FileManager::new();
    let error = alone.create_from_bytes("x", "x.png").purpose("vision").await.unwrap_err();
    assert!(matches!(error, FileError::Purpose { .. }));
}
