use super::*;

#[test]
fn the_page_on_findings_has_every_kind_with_its_severity() {
    let page = std::fs::read_to_string(recordings::repository().join("docs/reference/findings.md")).unwrap();
    for kind in FindingKind::ALL {
        let severity = match kind.default_severity() {
            Severity::Log => "log",
            Severity::Alert => "alert",
            Severity::Hold => "hold",
            Severity::Freeze => "freeze",
        };
        let row = format!("| `{}` | {severity} | ", kind.word());
        assert!(page.contains(&row), "no row {row}");
    }
    let rows = page.lines().filter(|line| line.starts_with("| `")).count();
    assert_eq!(rows, FindingKind::ALL.len());
}
