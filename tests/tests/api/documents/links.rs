//! Every link between the pages leads somewhere, and every page that code names exists.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// Where a file is, and its text.
type File = (PathBuf, String);

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The files of the repository that are text. What tools and builds put there is not.
fn files(folder: &Path, found: &mut Vec<File>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .expect("UTF-8");
        let foreign = ["target", "node_modules"].contains(&name);
        if foreign || (name.starts_with('.') && ![".cargo", ".ci"].contains(&name)) {
            continue;
        }
        if path.is_dir() {
            files(&path, found);
        } else if let Ok(text) = fs::read_to_string(&path) {
            found.push((path, text));
        }
    }
}

fn pages_and_code() -> (Vec<File>, Vec<File>) {
    let mut found = Vec::new();
    files(&root(), &mut found);
    found.into_iter().partition(|(path, _)| is_page(path))
}

fn is_page(path: &Path) -> bool {
    path.extension().is_some_and(|it| it == "md")
}

/// The lines outside of code blocks.
fn prose(page: &str) -> impl Iterator<Item = &str> {
    let mut code = false;
    page.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        code ^= fence;
        !code && !fence
    })
}

/// The anchor that GitHub gives to a heading.
fn anchor(heading: &str) -> String {
    heading
        .trim()
        .to_lowercase()
        .chars()
        .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

fn anchors(page: &str) -> BTreeSet<String> {
    let headings = prose(page).filter(|line| line.starts_with('#'));
    headings
        .map(|line| anchor(line.trim_start_matches('#')))
        .collect()
}

/// The targets of the links and pictures of a page, without addresses of the web.
fn targets(page: &str) -> Vec<&str> {
    let links = prose(page).flat_map(|line| {
        let inline = line.split("](").skip(1).map(|rest| (rest, ')'));
        let pictures = line.split("src=\"").skip(1).map(|rest| (rest, '"'));
        inline.chain(pictures)
    });
    links
        .filter_map(|(rest, end)| rest.split_once(end))
        .map(|(target, _)| target)
        .filter(|target| !target.contains("://"))
        .collect()
}

fn is_broken(page: &Path, target: &str) -> bool {
    let (path, heading) = target.split_once('#').unwrap_or((target, ""));
    let file = match path {
        "" => page.to_owned(),
        path => page.with_file_name("").join(path),
    };
    let has = |text: String| heading.is_empty() || anchors(&text).contains(heading);
    !file.exists() || (!heading.is_empty() && !fs::read_to_string(file).is_ok_and(has))
}

#[test]
fn every_link_between_the_pages_leads_to_a_file_and_its_heading() {
    let (pages, _) = pages_and_code();
    assert!(pages.len() > 30, "{} pages", pages.len());
    let mut broken = Vec::new();
    for (page, text) in &pages {
        let of_page = targets(text).into_iter();
        let lost = of_page.filter(|target| is_broken(page, target));
        broken.extend(lost.map(|target| format!("{}: {target}", page.display())));
    }
    assert!(broken.is_empty(), "broken links:\n{}", broken.join("\n"));
}

#[test]
fn every_page_that_the_code_names_exists() {
    let (_, code) = pages_and_code();
    let (mut named, mut missing) = (0, Vec::new());
    for (file, text) in &code {
        for rest in text.split("docs/").skip(1) {
            let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "-_./".contains(c)));
            let page = rest[..end.unwrap_or(rest.len())].trim_end_matches('.');
            if is_page(Path::new(page)) {
                named += 1;
                if !root().join("docs").join(page).exists() {
                    missing.push(format!("{}: docs/{page}", file.display()));
                }
            }
        }
    }
    assert!(named > 20, "{named} pages named");
    assert!(missing.is_empty(), "no such page:\n{}", missing.join("\n"));
}
