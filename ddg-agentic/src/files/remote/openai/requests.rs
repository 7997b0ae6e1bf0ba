//! Requests of the Files API.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt, TryStreamExt, stream};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::multipart::{Form, Part};
use reqwest::{Body, Method, RequestBuilder, Response, Url};
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::super::{FileUpload, RemoteContent, RemoteError, RemoteFile, UploadContent};
use super::Settings;
use super::answers::{Deletion, FileList, FileObject};
use super::failures::Failures;
use crate::files::folder_pieces;
use crate::provider::{chain, http_client};

/// Number of files on a page of a list: the maximum of OpenAI.
const PAGE: &str = "10000";

/// A connection to a provider, which is kept between requests.
pub(super) struct Connection {
    http: reqwest::Client,
    base_url: Url,
    headers: HeaderMap,
    failures: Failures,
    stall_timeout: Duration,
    reply_timeout: Duration,
}

impl Connection {
    /// Creates a connection. The settings have been checked.
    pub(super) fn new(settings: &Settings) -> Result<Self, RemoteError> {
        let setup = |message: String| RemoteError::Setup { message };
        let http = http_client(settings.connect_timeout, &settings.base_url);
        let http =
            http.map_err(|error| setup(format!("there is no HTTP client: {}", chain(&error))))?;
        let base_url = Url::parse(&settings.base_url)
            .map_err(|error| setup(format!("the address of files is not a URL: {error}")))?;
        let mut headers = HeaderMap::new();
        if let Some(key) = &settings.api_key {
            let mut value = HeaderValue::try_from(format!("Bearer {}", key.expose()))
                .map_err(|_| setup("the key of files cannot be sent; set another".to_owned()))?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        let failures = Failures {
            key: settings.api_key.clone(),
            base_url: settings.base_url.clone(),
            connect_timeout: settings.connect_timeout,
        };
        Ok(Self {
            http,
            base_url,
            headers,
            failures,
            stall_timeout: settings.stall_timeout,
            reply_timeout: settings.reply_timeout,
        })
    }

    pub(super) async fn upload(&self, upload: FileUpload) -> Result<RemoteFile, RemoteError> {
        let FileUpload { filename, media_type, purpose, len, content } = upload;
        let body = match content {
            UploadContent::Bytes(bytes) => Body::from(bytes),
            UploadContent::Path(path) => {
                let at = path.clone();
                let opened = tokio::task::spawn_blocking(move || std::fs::File::open(at)).await;
                let opened = opened.map_err(std::io::Error::other).and_then(|opened| opened);
                let file =
                    opened.map_err(|error| RemoteError::Source { source: Arc::new(error) })?;
                Body::wrap_stream(folder_pieces(file, path).map_err(std::io::Error::other))
            }
        };
        let part = Part::stream_with_length(body, len).file_name(filename);
        let part = part.mime_str(&media_type).map_err(|_| RemoteError::Setup {
            message: format!("`{media_type}` is not a media type such as text/plain"),
        })?;
        // The purpose comes first, so that a server can refuse it before it has read the file.
        let form = Form::new().text("purpose", purpose.to_string()).part("file", part);
        let request = self.request(Method::POST, &[])?.multipart(form);
        self.in_time(async { Ok(self.json::<FileObject>(request, None).await?.into_file()) }).await
    }

    pub(super) async fn retrieve(&self, id: &str) -> Result<RemoteFile, RemoteError> {
        let request = self.request(Method::GET, &[id])?;
        let answer = self.json::<FileObject>(request, Some(id));
        self.in_time(async { Ok(answer.await?.into_file()) }).await
    }

    pub(super) async fn content(&self, id: &str) -> Result<RemoteContent, RemoteError> {
        let after = self.stall_timeout;
        let silent = |_| RemoteError::TimedOut { after };
        let request = self.request(Method::GET, &[id, "content"])?;
        let response = timeout(after, self.send(request, Some(id))).await.map_err(silent)??;
        let failures = self.failures.clone();
        let next = move |body: Option<Response>| {
            let failures = failures.clone();
            async move {
                let mut body = body?;
                match timeout(after, body.chunk()).await {
                    Ok(Ok(Some(piece))) => Some((Ok(piece), Some(body))),
                    Ok(Ok(None)) => None,
                    Ok(Err(error)) => Some((Err(failures.of_request(&error)), None)),
                    Err(_) => Some((Err(RemoteError::TimedOut { after }), None)),
                }
            }
        };
        Ok(stream::unfold(Some(response), next).boxed())
    }

    pub(super) async fn list(&self) -> Result<Vec<RemoteFile>, RemoteError> {
        let mut files: Vec<RemoteFile> = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let mut query = vec![("limit", PAGE)];
            query.extend(after.as_deref().map(|after| ("after", after)));
            let mut url = self.url(&[])?;
            url.query_pairs_mut().extend_pairs(query);
            let request = self.request_at(Method::GET, url);
            let page = self.in_time(self.json::<FileList>(request, None)).await?;
            let last = page.data.last().map(|file| file.id().to_owned());
            files.extend(page.data.into_iter().map(FileObject::into_file));
            // A server that returns the same page again has no more files.
            if !page.has_more || last.is_none() || last == after {
                return Ok(files);
            }
            after = last;
        }
    }

    pub(super) async fn delete(&self, id: &str) -> Result<(), RemoteError> {
        let request = self.request(Method::DELETE, &[id])?;
        let Deletion { deleted } = self.in_time(self.json(request, Some(id))).await?;
        match deleted {
            true => Ok(()),
            false => Err(self.failures.malformed("it says that the file was not deleted")),
        }
    }

    fn request(&self, method: Method, path: &[&str]) -> Result<RequestBuilder, RemoteError> {
        Ok(self.request_at(method, self.url(path)?))
    }

    fn request_at(&self, method: Method, url: Url) -> RequestBuilder {
        self.http.request(method, url).headers(self.headers.clone())
    }

    /// The URL of all files, or of one. The id is escaped, so it cannot add to the path.
    fn url(&self, path: &[&str]) -> Result<Url, RemoteError> {
        if path.iter().any(|part| matches!(*part, "" | "." | "..")) {
            return Err(RemoteError::NotFound { id: path.concat() });
        }
        let mut url = self.base_url.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push("files").extend(path);
        }
        Ok(url)
    }

    /// Sends a request, and returns the response unless it is an error.
    async fn send(
        &self,
        request: RequestBuilder,
        id: Option<&str>,
    ) -> Result<Response, RemoteError> {
        let response = request.send().await.map_err(|error| self.failures.of_request(&error))?;
        match response.status().is_success() {
            true => Ok(response),
            false => Err(self.failures.of_response(response, id).await),
        }
    }

    async fn json<T: DeserializeOwned>(
        &self,
        request: RequestBuilder,
        id: Option<&str>,
    ) -> Result<T, RemoteError> {
        let response = self.send(request, id).await?;
        let content_type = response.headers().get(CONTENT_TYPE).cloned();
        let body = response.bytes().await.map_err(|error| self.failures.of_request(&error))?;
        serde_json::from_slice(&body).map_err(|error| match content_type {
            Some(found) if found.as_bytes().starts_with(b"text/html") => {
                self.failures.not_the_api()
            }
            _ => self.failures.malformed(&error.to_string()),
        })
    }

    async fn in_time<T>(
        &self,
        answer: impl Future<Output = Result<T, RemoteError>>,
    ) -> Result<T, RemoteError> {
        let after = self.reply_timeout;
        timeout(after, answer).await.unwrap_or(Err(RemoteError::TimedOut { after }))
    }
}
