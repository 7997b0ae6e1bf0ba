//! The keys of one list, hashed.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

use super::KeysError;
use super::entry::{self, Entry};
use crate::tenant::Tenant;
use crate::upstream::Upstream;

/// All keys of a list.
pub(super) struct Table(Vec<Row>);

struct Row {
    /// Keys are compared by their hashes, which have one length.
    hash: [u8; 32],
    tenant: Tenant,
    upstream: Upstream,
}

impl Table {
    pub(super) fn read(file: &Path) -> Result<Self, KeysError> {
        let failed = |source| KeysError::Io { file: file.to_owned(), source: Arc::new(source) };
        let text = fs::read_to_string(file).map_err(failed)?;
        Self::parse(&file.display().to_string(), text.lines())
    }

    pub(super) fn parse<'a>(
        place: &str,
        lines: impl Iterator<Item = &'a str>,
    ) -> Result<Self, KeysError> {
        let mut rows: Vec<Row> = Vec::new();
        for (number, line) in lines.enumerate() {
            let wrong =
                |reason| KeysError::Line { place: place.to_owned(), line: number + 1, reason };
            let Some(Entry { key, upstream }) = entry::parse(line).map_err(wrong)? else {
                continue;
            };
            let hash: [u8; 32] = Sha256::digest(key).into();
            if rows.iter().any(|row| row.hash == hash) {
                return Err(wrong("the key occurs twice; keep one".to_owned()));
            }
            upstream.check().map_err(wrong)?;
            rows.push(Row { hash, tenant: Tenant::of_key(key), upstream });
        }
        if rows.is_empty() {
            return Err(KeysError::Empty { place: place.to_owned() });
        }
        Ok(Self(rows))
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn tenant(&self, key: &[u8]) -> Option<Tenant> {
        let hash: [u8; 32] = Sha256::digest(key).into();
        // All rows are compared, so that the time does not tell which row is similar.
        let (mut found, mut at) = (Choice::from(0), 0_u64);
        for (place, row) in (0_u64..).zip(&self.0) {
            let is_equal = row.hash.ct_eq(&hash);
            at.conditional_assign(&place, is_equal);
            found |= is_equal;
        }
        let at = usize::try_from(at).expect("it is the place of a row");
        bool::from(found).then(|| self.0[at].tenant.clone())
    }

    pub(super) fn upstream(&self, tenant: &str) -> Option<Upstream> {
        let row = self.0.iter().find(|row| row.tenant.as_str() == tenant);
        row.map(|row| row.upstream.clone())
    }
}
