//! Members of a message.

use super::Bounds;

/// Messages, each the only one of its request.
pub(super) const MESSAGE: &[Bounds] = &[
    (
        &[
            r#"{"role":"system","content":"x"}"#,
            r#"{"role":"user","content":"x","name":"n"}"#,
            r#"{"role":"assistant","content":"x","name":null,"reasoning_content":"r"}"#,
            r#"{"role":"assistant","content":"x","reasoning_content":null,"tool_calls":[]}"#,
            r#"{"role":"user","content":"x","partial":false,"tool_calls":null,"tool_call_id":null}"#,
        ],
        &[
            (r#"{"role":^"developer","content":"x"}"#, "/messages/0/role one_of string"),
            (r#"{"role":^"function","content":"x"}"#, "/messages/0/role one_of string"),
            (r#"{"role":"user","content":"x","name":^7}"#, "/messages/0/name type number"),
            (
                r#"{"role":"user","content":"x","partial":^"yes"}"#,
                "/messages/0/partial type string",
            ),
            (
                r#"{"role":"assistant","content":"x","reasoning_content":^{}}"#,
                "/messages/0/reasoning_content type object",
            ),
        ],
    ),
    // Contents.
    (
        &[
            r#"{"role":"user","content":[{"type":"text","text":"x"}]}"#,
            r#"{"role":"user","content":[{"text":"\n","type":"text"}]}"#,
            r#"{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AA"}}]}"#,
            r#"{"role":"user","content":[{"type":"image_url","image_url":"ms://f1"}]}"#,
            r#"{"role":"user","content":[{"type":"video_url","video_url":{"url":"data:video/mp4;base64,AA"}}]}"#,
            r#"{"role":"user","content":[{"type":"video_url","video_url":"ms://f1"}]}"#,
            r#"{"role":"user","content":[{"type":"image_url","image_url":{"url":"\u006ds://f1"}}]}"#,
        ],
        &[
            (r#"^{"role":"user"}"#, "/messages/0/content required -"),
            (r#"{"role":"user","content":^null}"#, "/messages/0/content type null"),
            (r#"{"role":"user","content":^""}"#, "/messages/0/content blank string"),
            (r#"{"role":"user","content":^[]}"#, "/messages/0/content min_items array"),
            (r#"{"role":"user","content":^{"text":"1"}}"#, "/messages/0/content type object"),
            (r#"{"role":"user","content":[^"x"]}"#, "/messages/0/content/0 type string"),
            (r#"{"role":"user","content":[^{}]}"#, "/messages/0/content/0/type required -"),
            (
                r#"{"role":"user","content":[^{"type":"text"}]}"#,
                "/messages/0/content/0/text required -",
            ),
            (
                r#"{"role":"user","content":[{"type":"text","text":^""}]}"#,
                "/messages/0/content/0/text pattern string",
            ),
            (
                r#"{"role":"user","content":[{"type":"text","text":^null}]}"#,
                "/messages/0/content/0/text type null",
            ),
            (
                r#"{"role":"user","content":[{"type":^"file","file_url":{"url":"u"}}]}"#,
                "/messages/0/content/0/type one_of string",
            ),
            (
                r#"{"role":"user","content":[^{"type":"image_url","text":"x"}]}"#,
                "/messages/0/content/0/image_url required -",
            ),
            (
                r#"{"role":"user","content":[{"type":"image_url","image_url":{"url":^"https://a.b/c.png"}}]}"#,
                "/messages/0/content/0/image_url/url pattern string",
            ),
            (
                r#"{"role":"user","content":[{"type":"image_url","image_url":^"data:video/mp4;base64,AA"}]}"#,
                "/messages/0/content/0/image_url pattern string",
            ),
            (
                r#"{"role":"user","content":[{"type":"image_url","image_url":^{}}]}"#,
                "/messages/0/content/0/image_url/url required -",
            ),
            (
                r#"{"role":"user","content":[{"type":"video_url","video_url":^"data:image/png;base64,AA"}]}"#,
                "/messages/0/content/0/video_url pattern string",
            ),
            (
                r#"{"role":"user","content":[{"type":"video_url","video_url":{"url":^" "}}]}"#,
                "/messages/0/content/0/video_url/url blank string",
            ),
        ],
    ),
    // Who may say nothing.
    (
        &[
            r#"{"role":"assistant","partial":true}"#,
            r#"{"role":"assistant","partial":true,"content":"","name":"n"}"#,
            r#"{"role":"assistant","partial":true,"content":null}"#,
            r#"{"role":"system","tools":[{"type":"function","function":{"name":"f"}}]}"#,
        ],
        &[
            (r#"^{"role":"assistant"}"#, "/messages/0/content required -"),
            (
                r#"{"role":"assistant","content":^"","tool_calls":[]}"#,
                "/messages/0/content blank string",
            ),
            (
                r#"{"role":"assistant","partial":false,"content":^""}"#,
                "/messages/0/content blank string",
            ),
            (r#"^{"role":"system","tools":[]}"#, "/messages/0/content required -"),
            (
                r#"^{"role":"user","tools":[{"type":"function","function":{"name":"f"}}]}"#,
                "/messages/0/content required -",
            ),
            (
                r#"{"role":"system","tools":[{"type":"function","function":{"name":^"0"}}]}"#,
                "/messages/0/tools/0/function/name pattern string",
            ),
        ],
    ),
    // Calls.
    (
        &[],
        &[
            (
                r#"{"role":"assistant","tool_calls":[^^{}]}"#,
                "/messages/0/tool_calls/0/id required -; /messages/0/tool_calls/0/function required -",
            ),
            (
                r#"{"role":"assistant","tool_calls":[{"id":^"","type":^"tool","function":{"name":^"","arguments":^{}}}]}"#,
                "/messages/0/tool_calls/0/id blank string; /messages/0/tool_calls/0/type one_of string; \
                 /messages/0/tool_calls/0/function/name blank string; \
                 /messages/0/tool_calls/0/function/arguments type object",
            ),
            (
                r#"{"role":"assistant","content":"x","tool_calls":^{}}"#,
                "/messages/0/tool_calls type object",
            ),
            (r#"^{"role":"tool","content":"x"}"#, "/messages/0/tool_call_id required -"),
            (
                r#"^{"role":"tool","content":"x","tool_call_id":null}"#,
                "/messages/0/tool_call_id required -",
            ),
            (
                r#"{"role":"tool","content":"x","tool_call_id":^""}"#,
                "/messages/0/tool_call_id blank string",
            ),
            (
                r#"{"role":"tool","content":"x","tool_call_id":^"a"}"#,
                "/messages/0/tool_call_id tool_call_id string",
            ),
            (
                r#"{"role":"tool","content":^"","tool_call_id":^"a"}"#,
                "/messages/0/content blank string; /messages/0/tool_call_id tool_call_id string",
            ),
        ],
    ),
];
