use std::process::{Child, Command};

use super::*;
use crate::image::{ImageSelector, Tag};

const CONFIG: &[u8] = b"{}";
const TAGS: usize = 25;
/// Tells the child processes of a test which layout to write and under which name.
const ORDER: &str = "SHIPMARK_TEST_LAYOUT_WRITER";

/// Writes tags of its own and one that everybody wants.
async fn write(layout: LayoutDirectory, writer: String) -> bool {
    let manifest = image(CONFIG, &writer);
    layout
        .write_blob(&descriptor(CONFIG), pieces(CONFIG, 1))
        .await
        .unwrap();
    let mut won = false;
    for number in 0..TAGS {
        let tag: Tag = format!("{writer}-{number}").parse().unwrap();
        let written = layout.write_tag(&tag, &manifest, TagPrecondition::AbsentOrSame);
        assert_eq!(
            written.await.unwrap(),
            TagWriteResult::Written { previous: None }
        );
        let wanted = "wanted".parse().unwrap();
        let taken = layout.write_tag(&wanted, &manifest, TagPrecondition::AbsentOrSame);
        won |= taken.await.is_ok();
        let moving = "moving".parse().unwrap();
        let moved = layout.write_tag(&moving, &manifest, TagPrecondition::Any);
        moved.await.unwrap();
    }
    won
}

async fn assert_complete(layout: &LayoutDirectory, writers: &[String]) {
    let layout = LayoutDirectory::open(layout.path()).await.unwrap();
    assert_eq!(layout.tags().await.unwrap().len(), writers.len() * TAGS + 2);
    for tag in layout.tags().await.unwrap() {
        let digest = layout.resolve_tag(&tag).await.unwrap().unwrap();
        layout.check(digest).await.unwrap();
        let name = ImageSelector::Name(tag.to_string());
        assert_eq!(layout.select_image(&name).await.unwrap(), digest);
        if let Some((writer, _)) = tag.as_str().split_once('-') {
            assert_eq!(digest, image(CONFIG, writer).digest, "{tag}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn tasks_that_write_at_once_lose_no_tag() {
    let directory = tempfile::tempdir().unwrap();
    let layout = LayoutDirectory::new(directory.path().join("layout"));
    let writers: Vec<String> = ["a", "b", "c"].map(str::to_owned).into();
    let tasks: Vec<_> = writers
        .iter()
        .map(|writer| tokio::spawn(write(layout.clone(), writer.clone())))
        .collect();
    let mut winners = 0;
    for task in tasks {
        winners += usize::from(task.await.unwrap());
    }
    assert_eq!(winners, 1, "an immutable tag has one writer");
    assert_complete(&layout, &writers).await;
}

fn spawn(layout: &Path, writer: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--ignored", "layout::tests::concurrent::writer"])
        .env(ORDER, format!("{writer}={}", layout.display()))
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap()
}

#[tokio::test]
async fn processes_that_write_at_once_lose_no_tag() {
    let directory = tempfile::tempdir().unwrap();
    let layout = LayoutDirectory::new(directory.path().join("layout"));
    let writers: Vec<String> = ["a", "b"].map(str::to_owned).into();
    let children: Vec<_> = writers
        .iter()
        .map(|writer| spawn(layout.path(), writer))
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    assert_complete(&layout, &writers).await;
}

#[tokio::test]
async fn a_killed_writer_leaves_a_whole_layout() {
    let directory = tempfile::tempdir().unwrap();
    let layout = LayoutDirectory::new(directory.path().join("layout"));
    for delay in [20, 40, 80, 120] {
        let mut child = spawn(layout.path(), &format!("k{delay}"));
        tokio::time::sleep(std::time::Duration::from_millis(delay)).await;
        child.kill().unwrap();
        child.wait().unwrap();
        for tag in layout.tags().await.unwrap() {
            let digest = layout.resolve_tag(&tag).await.unwrap().unwrap();
            layout.check(digest).await.unwrap();
        }
    }
    write(layout.clone(), "after".to_owned()).await;
    let left = fs::read_dir(layout.path().join(".shipmark")).unwrap();
    assert_eq!(left.count(), 1, "only the lock file stays");
}

/// What the child processes run.
#[tokio::test]
#[ignore = "run by other tests as a process of its own"]
#[expect(clippy::disallowed_methods, reason = "it is told by its variables")]
async fn writer() {
    let Ok(order) = std::env::var(ORDER) else {
        return;
    };
    let (writer, path) = order.split_once('=').unwrap();
    write(LayoutDirectory::new(path), writer.to_owned()).await;
}
