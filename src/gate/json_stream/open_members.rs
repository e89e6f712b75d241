use std::collections::HashSet;

use super::json_stream_error::JsonStreamError;

/// Most members of all objects that are open at the same time.
const MEMBER_LIMIT: usize = 1 << 16;
/// Most bytes of their names.
const NAME_LIMIT: usize = 4 << 20;
/// Members up to which the names of an object are compared one by one.
const FEW: usize = 24;

/// Names of the members of the objects that are open.
#[derive(Default)]
pub(super) struct OpenMembers {
    /// All names, one after another.
    text: String,
    /// Where each name ends.
    ends: Vec<usize>,
    objects: Vec<OpenObject>,
}

struct OpenObject {
    /// Number of its first name.
    first: usize,
    /// Its names, once they are many.
    many: HashSet<Box<str>>,
}

impl OpenMembers {
    pub fn open_object(&mut self) {
        self.objects.push(OpenObject {
            first: self.ends.len(),
            many: HashSet::new(),
        });
    }

    pub fn close_object(&mut self) {
        if let Some(object) = self.objects.pop() {
            self.ends.truncate(object.first);
            self.text.truncate(self.ends.last().copied().unwrap_or(0));
        }
    }

    /// Adds a name to the innermost object.
    pub fn add(&mut self, name: &str) -> Result<(), JsonStreamError> {
        let Some(mut object) = self.objects.pop() else {
            return Ok(());
        };
        if self.ends.len() - object.first == FEW {
            let names = (object.first..self.ends.len()).map(|number| self.name(number).into());
            object.many = names.collect();
        }
        let is_new = if object.many.is_empty() {
            (object.first..self.ends.len()).all(|number| self.name(number) != name)
        } else {
            object.many.insert(name.into())
        };
        self.objects.push(object);
        if !is_new {
            return Err(JsonStreamError::DuplicateMember(format!("{name:?}")));
        }
        if self.ends.len() == MEMBER_LIMIT || self.text.len() + name.len() > NAME_LIMIT {
            let text = "its objects have too many members".to_owned();
            return Err(JsonStreamError::Limit(text));
        }
        self.text.push_str(name);
        self.ends.push(self.text.len());
        Ok(())
    }

    fn name(&self, number: usize) -> &str {
        let start = number.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start..self.ends[number]]
    }
}
