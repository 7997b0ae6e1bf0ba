//! What messages and results have beside their texts, as the protocol writes it.

use rmcp::model::{ContentBlock, Resource, ResourceContents};

use crate::message::{Attachment, ContentPart, Document, Image, MediaSource};

/// A part of a message.
pub(super) fn of_part(part: &ContentPart) -> ContentBlock {
    match part {
        ContentPart::Text { text } => ContentBlock::text(text),
        ContentPart::Image { image, .. } => of_image(image.clone()),
        ContentPart::Document { document } => of_attachment(document.clone().into()),
        ContentPart::Audio { audio } => of_attachment(audio.clone().into()),
    }
}

/// An image.
pub(super) fn of_image(image: Image) -> ContentBlock {
    match image {
        Image::Data { media_type, base64 } => ContentBlock::image(base64, media_type),
        Image::Url(_) => ContentBlock::text(format!("[{image}]")),
    }
}

/// A recording, or a document as a resource.
pub(super) fn of_attachment(attachment: Attachment) -> ContentBlock {
    let told = format!("[{attachment}]");
    match attachment {
        Attachment::Audio(audio) => match audio.source {
            MediaSource::Base64(base64) => ContentBlock::audio(base64, audio.media_type),
            MediaSource::Url(_) | MediaSource::FileId(_) => ContentBlock::text(told),
        },
        Attachment::Document(Document { media_type, source, name }) => {
            let name = name.unwrap_or_else(|| "document".to_owned());
            match source {
                MediaSource::Base64(base64) => {
                    let blob = ResourceContents::blob(base64, format!("attachment:///{name}"));
                    ContentBlock::resource(blob.with_mime_type(media_type))
                }
                MediaSource::Url(url) => {
                    let link = Resource::new(url, name).with_mime_type(media_type);
                    ContentBlock::resource_link(link)
                }
                MediaSource::FileId(_) => ContentBlock::text(told),
            }
        }
    }
}
