//! Names of files that may be shown.

/// What may be shown of a name that may be a URL: not its user, its password or the values of its query, which are
/// often signatures.
pub(crate) fn redacted(name: &str) -> String {
    let Some((scheme, rest)) = name.split_once("://") else { return name.to_owned() };
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let host = authority.rsplit_once('@').map_or_else(|| authority.to_owned(), |(_, host)| format!("***@{host}"));
    let Some((path, query)) = path.split_once('?') else { return format!("{scheme}://{host}{path}") };
    let pairs = query.split('&').map(|pair| match pair.split_once('=') {
        Some((key, _)) => format!("{key}=***"),
        None => pair.to_owned(),
    });
    format!("{scheme}://{host}{path}?{}", pairs.collect::<Vec<_>>().join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_of_urls_are_not_shown() {
        let cases = [
            ("https://user:pass@host/a.csv", "https://***@host/a.csv"),
            ("https://host/a.csv?sig=x&v=1&raw", "https://host/a.csv?sig=***&v=***&raw"),
            ("https://host?token=x@y/z", "https://host?token=***"),
            ("s3://bucket/a?.csv", "s3://bucket/a?.csv"),
            ("folder/a.csv?x=1", "folder/a.csv?x=1"),
        ];
        for (name, shown) in cases {
            assert_eq!(redacted(name), shown);
        }
    }
}
