//! Lists in pages, with `Link` headers as GitHub sends them.

use serde_json::{Value, json};

use crate::registry::{Answer, Call};

/// A page of a list that is an array.
pub fn array_page(call: &Call, url: &str, items: &[Value]) -> Answer {
    let page = Page::new(call, items.len());
    page.linked(call, url, Answer::new(200).json(&page.of(items).into()))
}

/// A page of a list that is the member `name` of an object.
pub fn object_page(call: &Call, url: &str, name: &str, items: &[Value]) -> Answer {
    let page = Page::new(call, items.len());
    let body = json!({"total_count": items.len(), name: page.of(items)});
    page.linked(call, url, Answer::new(200).json(&body))
}

struct Page {
    number: usize,
    size: usize,
    last: usize,
}

impl Page {
    fn new(call: &Call, count: usize) -> Self {
        let number = |name, otherwise: usize| {
            let text = call.query(name);
            text.and_then(|text| text.parse().ok()).unwrap_or(otherwise)
        };
        let size = number("per_page", 30).clamp(1, 100);
        Self {
            number: number("page", 1).max(1),
            size,
            last: count.div_ceil(size).max(1),
        }
    }

    fn of(&self, items: &[Value]) -> Vec<Value> {
        let skipped = (self.number - 1).saturating_mul(self.size);
        items
            .iter()
            .skip(skipped)
            .take(self.size)
            .cloned()
            .collect()
    }

    fn linked(&self, call: &Call, url: &str, answer: Answer) -> Answer {
        if self.number >= self.last {
            return answer;
        }
        let link = |number: usize, relation: &str| {
            let kept = call.query.iter().filter(|(name, _)| name != "page");
            let query = url::form_urlencoded::Serializer::new(String::new())
                .extend_pairs(kept)
                .append_pair("page", &number.to_string())
                .finish();
            format!("<{url}{}?{query}>; rel=\"{relation}\"", call.path)
        };
        let links = [link(self.number + 1, "next"), link(self.last, "last")];
        answer.header("link", links.join(", "))
    }
}
