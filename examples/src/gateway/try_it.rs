/// Returns the requests to try, one line each, to be pasted into another terminal.
#[must_use]
pub fn requests_to_try(url: &str, is_scripted: bool) -> String {
    // The scripted upstream takes any key but insists on one.
    let key = if is_scripted { "sk-any" } else { "$KIMI_API_KEY" };
    let chat = format!(
        "{url}/v1/chat/completions -H \"authorization: Bearer {key}\" \
         -H 'content-type: application/json'"
    );
    let ask = r#""model":"kimi-k3","messages":[{"role":"user","content":"你好"}]"#;
    let mut requests =
        format!("\ncurl {chat} -d '{{{ask}}}'\n\ncurl -N {chat} -d '{{{ask},\"stream\":true}}'");
    if is_scripted {
        let fault = format!("\n\ncurl -i {chat} -H 'x-mock-fault: errcode.token' -d '{{{ask}}}'");
        requests.push_str(&fault);
    }
    requests
}
