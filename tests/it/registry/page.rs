//! One page of a list, for tags and referrers.

/// What follows `last`, at most `limit` of it, and the name of its end when there is more.
pub fn page<T>(
    all: Vec<T>,
    last: Option<&str>,
    limit: usize,
    name: impl Fn(&T) -> &str,
) -> (Vec<T>, Option<String>) {
    let seen = last.and_then(|last| all.iter().position(|item| name(item) == last));
    let start = match (seen, last) {
        (Some(place), _) => place + 1,
        // The last one seen may be gone since.
        (None, Some(last)) => all.iter().take_while(|item| name(item) <= last).count(),
        (None, None) => 0,
    };
    let more = all.len() > start + limit && limit > 0;
    let page: Vec<T> = all.into_iter().skip(start).take(limit).collect();
    let end = page
        .last()
        .filter(|_| more)
        .map(|item| name(item).to_owned());
    (page, end)
}
