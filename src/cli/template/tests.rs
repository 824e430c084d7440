//! The evaluator against what Go itself gives.

use super::*;

fn run(text: &str) -> String {
    let data = Value::of_json(&serde_json::json!({
        "A": "a", "N": 3, "L": ["x", "y"], "M": {"k": "v", "j": "w"}, "E": [], "B": true,
    }));
    match Template::parse("", text) {
        Ok(template) => template.execute(&data).unwrap_or_else(|error| error),
        Err(error) => error,
    }
}

#[test]
fn a_taste_of_everything() {
    for (text, want) in [
        ("{{.A}}{{.None}}", "a<no value>"),
        ("{{range $k, $v := .M}}{{$k}}={{$v}};{{end}}", "j=w;k=v;"),
        (
            "{{range .L}}{{if eq . \"y\"}}{{break}}{{end}}{{.}}{{end}}",
            "x",
        ),
        ("{{ .A -}}  b {{- /* c */ -}} d", "abd"),
        ("{{printf \"%-5s|%03d|%v\" .A .N .L}}", "a    |003|[x y]"),
        ("{{define \"t\"}}<{{.}}>{{end}}{{template \"t\" .A}}", "<a>"),
        ("{{with .E}}x{{else}}y{{end}}", "y"),
        ("{{", "template: :1: unclosed action"),
    ] {
        assert_eq!(run(text), want, "{text}");
    }
}
