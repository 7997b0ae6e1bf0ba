//! Messages of threads, as a model reads them.

use rustc_hash::FxHashMap;

use crate::assistants::object::{
    ContentPart, Item, ItemContent, ItemStatus, Message, MessageStatus, Role,
};
use crate::message::{ContentPart as ModelPart, Image, ImageDetail, Message as ModelMessage};

/// Files that messages name: the content of images, and the names of all.
#[derive(Debug, Default)]
pub(in crate::assistants) struct Images {
    pub(in crate::assistants) contents: FxHashMap<String, Image>,
    pub(in crate::assistants) names: FxHashMap<String, String>,
}

impl Images {
    /// The note from which a model takes the id of a file.
    fn note(&self, id: &str) -> String {
        let name = self.names.get(id).map_or(id, String::as_str);
        format!("The file \"{name}\" can be used as a reference: <file>{id}</file>")
    }
}

/// The message for a model. `None` if there is nothing in it.
pub(in crate::assistants) fn prompt_of_message(
    message: &Message,
    images: &Images,
) -> Option<ModelMessage> {
    match message.role {
        // Parts of the model's own text are joined as they were written.
        Role::Assistant => {
            let text = message.text();
            (!text.is_empty()).then(|| ModelMessage::assistant(text))
        }
        Role::System | Role::Developer => Some(ModelMessage::system(message.text())),
        Role::User => {
            let mut parts: Vec<_> =
                message.content.iter().filter_map(|part| user_part(part, images)).collect();
            for file in &message.attachments {
                add_line(&mut parts, images.note(&file.file_id));
            }
            (!parts.is_empty()).then_some(ModelMessage::User { content: parts })
        }
    }
}

fn user_part(part: &ContentPart, images: &Images) -> Option<ModelPart> {
    match part {
        ContentPart::Text { text } => Some(ModelPart::Text { text: text.value.clone() }),
        ContentPart::ImageUrl { image_url } => {
            let (image, detail) = (Image::Url(image_url.url.clone()), &image_url.detail);
            Some(ModelPart::Image { image, detail: detail_of(detail.as_deref()) })
        }
        ContentPart::ImageFile { image_file } => {
            let image = images.contents.get(&image_file.file_id)?.clone();
            Some(ModelPart::Image { image, detail: detail_of(image_file.detail.as_deref()) })
        }
    }
}

fn detail_of(detail: Option<&str>) -> Option<ImageDetail> {
    match detail? {
        "low" => Some(ImageDetail::Low),
        "high" => Some(ImageDetail::High),
        "auto" => Some(ImageDetail::Auto),
        _ => None,
    }
}

/// Adds a line to the last part, if that is text.
fn add_line(parts: &mut Vec<ModelPart>, line: String) {
    match parts.last_mut() {
        Some(ModelPart::Text { text }) if text.is_empty() => *text = line,
        Some(ModelPart::Text { text }) => *text = format!("{text}\n{line}"),
        _ => parts.push(ModelPart::Text { text: line }),
    }
}

/// A message as an item of a conversation.
pub(in crate::assistants) fn item_of_message(message: &Message) -> Item {
    let is_output = message.role == Role::Assistant;
    let part = |part: &ContentPart| match part {
        ContentPart::Text { text } if is_output => ItemContent::output(&text.value),
        ContentPart::Text { text } => ItemContent::InputText { text: text.value.clone() },
        ContentPart::ImageUrl { image_url } => ItemContent::InputImage {
            image_url: Some(image_url.url.clone()),
            file_id: None,
            detail: Some(image_url.detail.clone().unwrap_or_else(|| "auto".to_owned())),
        },
        ContentPart::ImageFile { image_file } => ItemContent::InputImage {
            image_url: None,
            file_id: Some(image_file.file_id.clone()),
            detail: Some(image_file.detail.clone().unwrap_or_else(|| "auto".to_owned())),
        },
    };
    let files = message
        .attachments
        .iter()
        .map(|file| ItemContent::InputFile { file_id: Some(file.file_id.clone()), filename: None });
    Item::Message {
        id: message.id.clone(),
        status: match message.status {
            MessageStatus::InProgress => ItemStatus::InProgress,
            MessageStatus::Completed => ItemStatus::Completed,
            MessageStatus::Incomplete => ItemStatus::Incomplete,
        },
        role: message.role,
        content: message.content.iter().map(part).chain(files).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assistants::object::{Attachment, FileRef};
    use crate::assistants::rule::changes::tests::message;

    #[test]
    fn the_parts_of_the_models_text_are_joined_without_a_separator() {
        let mut said = message(Role::Assistant, "It is ");
        said.content.push(ContentPart::text("sunny."));
        let prompt = prompt_of_message(&said, &Images::default()).unwrap();
        assert_eq!(prompt, ModelMessage::assistant("It is sunny."));
        said.content.clear();
        assert_eq!(prompt_of_message(&said, &Images::default()), None);
    }

    #[test]
    fn each_file_adds_a_line_that_names_its_id() {
        let mut said = message(Role::User, "Read it.");
        said.attachments.push(Attachment { file_id: "file-1".to_owned(), tools: Vec::new() });
        let mut images = Images::default();
        images.names.insert("file-1".to_owned(), "a.txt".to_owned());
        let prompt = prompt_of_message(&said, &images).unwrap();
        let expected =
            "Read it.\nThe file \"a.txt\" can be used as a reference: <file>file-1</file>";
        assert_eq!(prompt.text(), expected);
    }

    #[test]
    fn parts_keep_their_order() {
        let mut said = message(Role::User, "Before");
        let image_file = FileRef { file_id: "file-1".to_owned(), detail: Some("low".to_owned()) };
        said.content.push(ContentPart::ImageFile { image_file });
        said.content.push(ContentPart::text("after"));
        let mut images = Images::default();
        let image = Image::Url("https://example.org/a.png".to_owned());
        images.contents.insert("file-1".to_owned(), image.clone());
        let text = |text: &str| ModelPart::Text { text: text.to_owned() };
        let image = ModelPart::Image { image, detail: Some(ImageDetail::Low) };
        let content = vec![text("Before"), image, text("after")];
        assert_eq!(prompt_of_message(&said, &images), Some(ModelMessage::User { content }));
    }
}
