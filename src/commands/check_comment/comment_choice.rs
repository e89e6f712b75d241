//! Which comment of a pull request a run updates.

use super::comment_marker::CommentMarker;
use crate::github::IssueComment;

/// What to do about the comment of a run.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum CommentChoice<'a> {
    /// There is none: write one.
    Create,
    /// Update the oldest one. Two runs that began without one have made the others.
    Update {
        /// The oldest one.
        oldest: &'a IssueComment,
        /// Others of the same workflow and author.
        doubles: Vec<&'a IssueComment>,
    },
    /// A newer run has written it: leave it.
    OfNewerRun(&'a IssueComment),
}

/// Comments of others with the marker of this run's workflow, which do not count.
pub(super) fn forged<'a>(
    comments: &'a [IssueComment],
    marker: &CommentMarker,
    author: &str,
) -> Vec<&'a IssueComment> {
    let comments = comments.iter();
    let comments = comments.filter(|it| has_key(it, marker) && !is_by(it, author));
    comments.collect()
}

/// Returns what to do. Only comments by `author` count: anybody who may comment can write the marker.
pub(super) fn choose_comment<'a>(
    comments: &'a [IssueComment],
    marker: &CommentMarker,
    author: &str,
) -> CommentChoice<'a> {
    let own = comments.iter();
    let own = own.filter(|it| has_key(it, marker) && is_by(it, author));
    let mut own: Vec<&IssueComment> = own.collect();
    own.sort_by_key(|comment| comment.id);
    let run = |comment: &IssueComment| CommentMarker::parse(&comment.body).map(|it| it.run);
    if let Some(newer) = own.iter().find(|it| run(it) > Some(marker.run)) {
        return CommentChoice::OfNewerRun(newer);
    }
    match own.as_slice() {
        [] => CommentChoice::Create,
        [oldest, doubles @ ..] => CommentChoice::Update {
            oldest,
            doubles: doubles.to_vec(),
        },
    }
}

fn has_key(comment: &IssueComment, marker: &CommentMarker) -> bool {
    let found = CommentMarker::parse(&comment.body);
    found.is_some_and(|found| found.key == marker.key)
}

/// Returns whether a comment is by an author. No user's name has brackets, and a name with them is that of a bot.
pub(super) fn is_by(comment: &IssueComment, author: &str) -> bool {
    let login = comment.author.as_deref().unwrap_or_default();
    let is_bot = comment.author_is_bot || !author.ends_with("[bot]");
    login.eq_ignore_ascii_case(author) && is_bot
}

#[cfg(test)]
mod tests {
    use super::super::comment_marker::{CommentKey, RunOrder};
    use super::*;

    const BOT: &str = "github-actions[bot]";

    fn marker(number: u64) -> CommentMarker {
        CommentMarker {
            key: CommentKey::new("a.yml", "prod"),
            run: RunOrder { number, attempt: 1 },
        }
    }

    fn comment(id: u64, login: &str, body: String) -> IssueComment {
        IssueComment {
            id,
            body,
            author: Some(login.to_owned()),
            author_is_bot: login.ends_with("[bot]"),
            app_slug: None,
            html_url: None,
        }
    }

    #[test]
    fn the_oldest_of_our_own_is_updated_unless_a_newer_run_wrote_one() {
        let text = |number| format!("{}\n## Check", marker(number));
        let other = text(5).replace(&marker(5).to_string()[20..24], "0000");
        let comments = [
            comment(9, BOT, text(5)),
            comment(3, "mallory", text(99)),
            comment(4, BOT, text(4)),
            comment(1, BOT, "no marker".to_owned()),
            comment(2, BOT, format!("> {}", text(99))),
            comment(5, BOT, other),
        ];
        let chosen = |number| match choose_comment(&comments, &marker(number), BOT) {
            CommentChoice::Create => ("create", 0, 0),
            CommentChoice::Update { oldest, doubles } => ("update", oldest.id, doubles.len()),
            CommentChoice::OfNewerRun(newer) => ("newer", newer.id, 0),
        };
        assert_eq!(chosen(6), ("update", 4, 1));
        assert_eq!(chosen(5), ("update", 4, 1));
        assert_eq!(chosen(4), ("newer", 9, 0));
        let ids = |found: Vec<&IssueComment>| found.iter().map(|it| it.id).collect::<Vec<_>>();
        assert_eq!(ids(forged(&comments, &marker(6), BOT)), [3]);
        assert_eq!(
            choose_comment(&comments[1..2], &marker(6), BOT),
            CommentChoice::Create
        );
    }

    #[test]
    fn a_person_does_not_pass_for_a_bot() {
        let mut person = comment(1, BOT, String::new());
        assert!(is_by(&person, "GitHub-Actions[bot]"));
        person.author_is_bot = false;
        assert!(!is_by(&person, BOT));
        let mut user = comment(1, "octocat", String::new());
        assert!(is_by(&user, "Octocat"));
        user.author = None;
        assert!(!is_by(&user, "octocat"));
    }
}
