//! A conversation is loaded as it was saved, and a save only appends.

use ddg_agentic::Message;
use ddg_agentic::memory::{Conversation, ConversationVersion, StoredConversation, Summary};
use ddg_agentic::message::{Audio, Document, Image, ToolArguments, ToolCall, ToolMessage};
use expect_test::expect;
use serde_json::json;

use crate::setup::{Setup, id, on_every_store, said};

on_every_store! {
    what_was_never_saved_is_empty,
    a_conversation_comes_back,
    it_goes_on_from_what_was_loaded,
    goal_and_summaries_are_replaced,
    earlier_messages_are_not_changed_by_a_save,
    a_rewrite_changes_earlier_messages,
    summaries_have_to_fit,
    a_deleted_one_is_new_again,
}

const NEW: ConversationVersion = ConversationVersion::NEW;

fn of_all_kinds() -> Conversation {
    let call = ToolCall::new("call_1", "look", json!({ "z": 0.1, "a": [1e300, null], "µ": 1 }));
    let malformed = ToolArguments::Malformed("{\"".into());
    let broken = ToolCall::new("call_2", "", malformed);
    let image = Image::Data { media_type: "image/png".into(), base64: "AAAA".into() };
    let mut conversation = Conversation::new([
        Message::system("Be brief.\0"),
        Message::user_with_image("Look: 東京 '\"; drop table ddg_messages", image),
        Message::calls([call.clone(), broken.clone()]),
        ToolMessage::new(&call, "").with_attachments([Audio::mp3("SUQz")]).into(),
        Message::tool_error(&broken, "no JSON"),
        Message::user_with_document("", Document::file_id("application/pdf", "file-1").name("a")),
    ]);
    conversation.apply(Summary::new(0..2, "A picture.")).unwrap();
    conversation.goal = Some("to see".into());
    conversation
}

async fn what_was_never_saved_is_empty(Setup { store, .. }: Setup) {
    assert_eq!(store.load(&id("new")).await.unwrap(), StoredConversation::default());
    assert!(!store.delete(&id("new")).await.unwrap());
}

async fn a_conversation_comes_back(Setup { store, .. }: Setup) {
    let version = store.save(&id("talk"), &of_all_kinds(), NEW).await.unwrap();
    store.save(&id("other"), &said(1), NEW).await.unwrap();
    let stored = store.load(&id("talk")).await.unwrap();
    assert_eq!(stored, StoredConversation::new(of_all_kinds(), version));
    let nothing = Conversation::default();
    let version = store.save(&id("empty"), &nothing, NEW).await.unwrap();
    let stored = store.load(&id("empty")).await.unwrap();
    assert_eq!(stored, StoredConversation::new(nothing, version));
}

/// With and without loading it in between.
async fn it_goes_on_from_what_was_loaded(Setup { store, .. }: Setup) {
    let mut talk = StoredConversation::new(of_all_kinds(), NEW);
    for n in 0..6 {
        talk.version = store.save(&id("talk"), &talk.conversation, talk.version).await.unwrap();
        if n % 2 == 0 {
            talk = store.load(&id("talk")).await.unwrap();
        }
        let call = ToolCall::new(n.to_string(), "look", json!({ "z": 1.0 / 3.0, "a": 1 }));
        talk.conversation.messages.push(Message::calls([call.clone()]));
        if n > 2 {
            talk.conversation.messages.push(Message::tool_result(&call, "seen"));
        }
    }
    let version = store.save(&id("talk"), &talk.conversation, talk.version).await.unwrap();
    let stored = store.load(&id("talk")).await.unwrap();
    assert_eq!(stored, StoredConversation::new(talk.conversation, version));
    assert_eq!((stored.conversation.messages.len(), version.to_string()), (15, "version 7".into()));
}

async fn goal_and_summaries_are_replaced(Setup { store, .. }: Setup) {
    let mut talk = said(4);
    talk.goal = Some("first".into());
    talk.apply(Summary::new(0..1, "one")).unwrap();
    let version = store.save(&id("talk"), &talk, NEW).await.unwrap();
    talk.goal = None;
    talk.apply(Summary::new(0..2, "two")).unwrap();
    store.save(&id("talk"), &talk, version).await.unwrap();
    assert_eq!(store.load(&id("talk")).await.unwrap().conversation, talk);
}

async fn earlier_messages_are_not_changed_by_a_save(Setup { store, .. }: Setup) {
    let version = store.save(&id("talk"), &said(3), NEW).await.unwrap();
    let mut talk = said(3);
    talk.messages[2] = Message::user("something else");
    let refused = store.save(&id("talk"), &talk, version).await.unwrap_err();
    expect!["conversation `talk` has 3 messages in the store, and its message 2 is not the one there: a save only appends; to change earlier messages, rewrite the conversation"].assert_eq(&refused.to_string());
    let refused = store.save(&id("talk"), &said(1), version).await.unwrap_err();
    expect!["conversation `talk` has 3 messages in the store, and its message 1 is not the one there: a save only appends; to change earlier messages, rewrite the conversation"].assert_eq(&refused.to_string());
    let refused = store.save(&id("talk"), &said(0), version).await.unwrap_err();
    expect!["conversation `talk` has 3 messages in the store, and its message 0 is not the one there: a save only appends; to change earlier messages, rewrite the conversation"].assert_eq(&refused.to_string());
    let stored = StoredConversation::new(said(3), version);
    assert_eq!(store.load(&id("talk")).await.unwrap(), stored);
}

async fn a_rewrite_changes_earlier_messages(Setup { store, .. }: Setup) {
    let version = store.save(&id("talk"), &said(5), NEW).await.unwrap();
    let mut talk = said(3);
    talk.messages[0] = Message::user("something else");
    let version = store.rewrite(&id("talk"), &talk, version).await.unwrap();
    let stored = StoredConversation::new(talk.clone(), version);
    assert_eq!(store.load(&id("talk")).await.unwrap(), stored);
    talk.messages.push(Message::assistant("I see."));
    store.save(&id("talk"), &talk, version).await.unwrap();
    assert_eq!(store.load(&id("talk")).await.unwrap().conversation, talk);
    // There need not be anything to replace.
    store.rewrite(&id("new"), &talk, NEW).await.unwrap();
    assert_eq!(store.load(&id("new")).await.unwrap().conversation, talk);
}

async fn summaries_have_to_fit(Setup { store, .. }: Setup) {
    let mut talk = said(3);
    talk.summaries = vec![Summary::new(0..4, "more than there is")];
    let refused = store.save(&id("talk"), &talk, NEW).await.unwrap_err();
    expect!["conversation `talk` cannot be saved: a summary of messages 0..4 does not fit a conversation of 3: it must cover at least one message, and only messages that exist"].assert_eq(&refused.to_string());
    talk.summaries = vec![Summary::new(1..3, "later"), Summary::new(0..1, "earlier")];
    let refused = store.rewrite(&id("talk"), &talk, NEW).await.unwrap_err();
    expect!["conversation `talk` cannot be saved: a summary of messages 0..1 covers a part of the summary of messages 1..3: cover all of it or none"].assert_eq(&refused.to_string());
    assert_eq!(store.load(&id("talk")).await.unwrap(), StoredConversation::default());
}

async fn a_deleted_one_is_new_again(Setup { store, .. }: Setup) {
    let version = store.save(&id("talk"), &said(3), NEW).await.unwrap();
    store.save(&id("other"), &said(2), NEW).await.unwrap();
    assert!(store.delete(&id("talk")).await.unwrap());
    assert!(!store.delete(&id("talk")).await.unwrap());
    assert_eq!(store.load(&id("talk")).await.unwrap(), StoredConversation::default());
    assert_eq!(store.load(&id("other")).await.unwrap().conversation, said(2));
    let refused = store.save(&id("talk"), &said(4), version).await.unwrap_err();
    expect!["conversation `talk` has been changed by another writer: version 1 was expected in the store, but none was found; load it again and continue from there"].assert_eq(&refused.to_string());
    store.save(&id("talk"), &said(1), NEW).await.unwrap();
    assert_eq!(store.load(&id("talk")).await.unwrap().conversation, said(1));
}
