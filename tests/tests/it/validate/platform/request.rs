//! Members of the request.

use super::Bounds;

/// What is taken, and what is refused, with what is found.
pub(super) const REQUEST: &[Bounds] = &[
    (
        &[
            r#""temperature":0"#,
            r#""temperature":1"#,
            r#""temperature":0.6"#,
            r#""temperature":null"#,
        ],
        &[
            (r#""temperature":^1.01"#, "/temperature range number"),
            (r#""temperature":^-0.01"#, "/temperature range number"),
            (r#""temperature":^"1""#, "/temperature type string"),
        ],
    ),
    (
        &[r#""top_p":0"#, r#""top_p":1.0"#, r#""top_p":null"#],
        &[
            (r#""top_p":^1.0001"#, "/top_p range number"),
            (r#""top_p":^-1"#, "/top_p range number"),
            (r#""top_p":^[]"#, "/top_p type array"),
        ],
    ),
    (
        &[r#""n":1"#, r#""n":5"#, r#""n":2.0"#, r#""n":null"#],
        &[
            (r#""n":^0"#, "/n range number"),
            (r#""n":^6"#, "/n range number"),
            (r#""n":^1.5"#, "/n integer number"),
            (r#""n":^true"#, "/n type boolean"),
        ],
    ),
    (
        &[r#""presence_penalty":-2,"frequency_penalty":2"#, r#""presence_penalty":null"#],
        &[
            (r#""presence_penalty":^-2.1"#, "/presence_penalty range number"),
            (r#""frequency_penalty":^2.1"#, "/frequency_penalty range number"),
            (r#""frequency_penalty":^{}"#, "/frequency_penalty type object"),
        ],
    ),
    (
        &[
            r#""max_tokens":0"#,
            r#""max_tokens":1048576"#,
            r#""max_completion_tokens":1"#,
            r#""max_completion_tokens":1048576"#,
            r#""max_completion_tokens":null"#,
        ],
        &[
            (r#""max_tokens":^-1"#, "/max_tokens range number"),
            (r#""max_tokens":^1048577"#, "/max_tokens range number"),
            (r#""max_completion_tokens":^1048577"#, "/max_completion_tokens range number"),
            (r#""max_completion_tokens":^0.5"#, "/max_completion_tokens integer number"),
            (r#""max_tokens":^"9""#, "/max_tokens type string"),
        ],
    ),
    (
        &[
            r#""logprobs":true,"top_logprobs":0"#,
            r#""top_logprobs":20,"logprobs":true"#,
            r#""logprobs":false"#,
            r#""top_logprobs":null"#,
        ],
        &[
            (r#""logprobs":true,"top_logprobs":^21"#, "/top_logprobs range number"),
            (r#""logprobs":true,"top_logprobs":^-1"#, "/top_logprobs range number"),
            (r#""logprobs":true,"top_logprobs":^1.5"#, "/top_logprobs integer number"),
            (r#""top_logprobs":^1"#, "/top_logprobs requires number"),
            (r#""top_logprobs":^1,"logprobs":false"#, "/top_logprobs requires number"),
            (r#""logprobs":null,"top_logprobs":^0"#, "/top_logprobs requires number"),
            (r#""logprobs":^1"#, "/logprobs type number"),
        ],
    ),
    (
        &[
            r#""stop":"12345678901234567890123456789012""#,
            r#""stop":["a","b","c","d","e"]"#,
            r#""stop":[]"#,
            r#""stop":"""#,
            r#""stop":null"#,
            // 32 bytes, however they are written.
            r#""stop":"中中中中中中中中中中ab""#,
            r#""stop":"\u4e2d\u4e2d\u4e2d\u4e2d\u4e2d\u4e2d\u4e2d\u4e2d\u4e2d\u4e2dab""#,
        ],
        &[
            (r#""stop":^"123456789012345678901234567890123""#, "/stop max_bytes string"),
            (r#""stop":^"中中中中中中中中中中abc""#, "/stop max_bytes string"),
            (r#""stop":^["a","b","c","d","e","f"]"#, "/stop max_items array"),
            (
                r#""stop":["a",^"123456789012345678901234567890123",^7,^null]"#,
                "/stop/1 max_bytes string; /stop/2 type number; /stop/3 type null",
            ),
            (r#""stop":^7"#, "/stop type number"),
        ],
    ),
    (
        &[
            r#""response_format":{"type":"text"}"#,
            r#""response_format":{"type":"json_object"}"#,
            r#""response_format":{"json_schema":{"schema":{},"name":"n"},"type":"json_schema"}"#,
            r#""response_format":{"type":"json_schema","json_schema":{"name":"","schema":{"x":1},"strict":null}}"#,
            r#""response_format":{}"#,
            r#""response_format":null"#,
        ],
        &[
            (r#""response_format":{"type":^"json"}"#, "/response_format/type one_of string"),
            (r#""response_format":{"type":^null}"#, "/response_format/type type null"),
            (
                r#""response_format":^{"type":"json_schema"}"#,
                "/response_format/json_schema required -",
            ),
            (
                r#""response_format":^{"type":"json_schema","json_schema":null}"#,
                "/response_format/json_schema required -",
            ),
            (
                r#""response_format":{"type":"json_schema","json_schema":^^{}}"#,
                "/response_format/json_schema/name required -; \
                 /response_format/json_schema/schema required -",
            ),
            (
                r#""response_format":{"type":"json_schema","json_schema":{"name":^7,"schema":^"{}","strict":^0}}"#,
                "/response_format/json_schema/name type number; \
                 /response_format/json_schema/schema type string; \
                 /response_format/json_schema/strict type number",
            ),
            (r#""response_format":^"text""#, "/response_format type string"),
        ],
    ),
    (
        &[
            r#""tools":[]"#,
            r#""tools":null"#,
            r#""tools":[{"type":"function","function":{"name":"f"}}]"#,
            r#""tools":[{"type":"function","function":{"name":"f","description":null,"parameters":{"type":"object"},"strict":false}}]"#,
            r#""tools":[{"type":"builtin_function","function":{"name":"$web_search"}}]"#,
            r#""tools":[{"type":"function","function":{"name":"f"}},{"type":"function","function":{"name":"F"}}]"#,
        ],
        &[
            (r#""tools":^{}"#, "/tools type object"),
            (r#""tools":[^7]"#, "/tools/0 type number"),
            (r#""tools":[^^{}]"#, "/tools/0/type required -; /tools/0/function required -"),
            (
                r#""tools":[{"type":^"tool","function":^{}}]"#,
                "/tools/0/type one_of string; /tools/0/function/name required -",
            ),
            (
                r#""tools":[{"type":"function","function":{"name":^"1f"}}]"#,
                "/tools/0/function/name pattern string",
            ),
            (
                r#""tools":[{"type":"function","function":{"name":^""}}]"#,
                "/tools/0/function/name pattern string",
            ),
            (
                r#""tools":[{"type":"function","function":{"name":"f","parameters":^[],"description":^7}}]"#,
                "/tools/0/function/parameters type array; /tools/0/function/description type number",
            ),
            (
                r#""tools":[{"type":"function","function":{"name":"f"}},{"type":"function","function":{"name":^"\u0066"}}]"#,
                "/tools/1/function/name unique string",
            ),
        ],
    ),
    (
        &[
            r#""tool_choice":"auto""#,
            r#""tool_choice":"none""#,
            r#""tool_choice":"required""#,
            r#""tool_choice":null"#,
            r#""tool_choice":{"type":"function","function":{"name":"f"}}"#,
        ],
        &[
            (r#""tool_choice":^"any""#, "/tool_choice one_of string"),
            (r#""tool_choice":^7"#, "/tool_choice type number"),
            (
                r#""tool_choice":^^{}"#,
                "/tool_choice/type required -; /tool_choice/function required -",
            ),
            (
                r#""tool_choice":{"type":^"tool","function":{"name":^"0"}}"#,
                "/tool_choice/type one_of string; /tool_choice/function/name pattern string",
            ),
        ],
    ),
    (
        &[
            r#""thinking":{"type":"enabled"}"#,
            r#""thinking":{"type":"disabled","keep":null}"#,
            r#""thinking":{"keep":"all","type":"enabled"}"#,
            r#""thinking":null"#,
        ],
        &[
            (r#""thinking":^{}"#, "/thinking/type required -"),
            (
                r#""thinking":{"type":^"on","keep":^"none"}"#,
                "/thinking/type one_of string; /thinking/keep one_of string",
            ),
            (r#""thinking":^true"#, "/thinking type boolean"),
        ],
    ),
    (
        // Which efforts there are depends on the model.
        &[
            r#""reasoning_effort":"max""#,
            r#""reasoning_effort":"medium""#,
            r#""reasoning_effort":null"#,
        ],
        &[(r#""reasoning_effort":^{"effort":"high"}"#, "/reasoning_effort type object")],
    ),
    (
        &[r#""stream":true"#, r#""stream":false"#, r#""stream":null"#],
        &[
            (r#""stream":^"true""#, "/stream type string"),
            (r#""stream":^1"#, "/stream type number"),
        ],
    ),
    (
        &[
            r#""stream_options":{"include_usage":true}"#,
            r#""stream_options":{}"#,
            r#""stream_options":null"#,
        ],
        &[
            (
                r#""stream_options":{"include_usage":^1}"#,
                "/stream_options/include_usage type number",
            ),
            (r#""stream_options":^true"#, "/stream_options type boolean"),
        ],
    ),
    (
        &[
            r#""prediction":{"type":"content","content":"x"}"#,
            r#""prediction":{"content":[{"type":"text","text":"x"}],"type":"content"}"#,
            r#""prediction":null"#,
        ],
        &[
            (r#""prediction":{"type":^"text"}"#, "/prediction/type one_of string"),
            (r#""prediction":{"content":^7}"#, "/prediction/content type number"),
            (r#""prediction":{"content":[^"x"]}"#, "/prediction/content/0 type string"),
            (r#""prediction":^"x""#, "/prediction type string"),
        ],
    ),
    (
        &[
            r#""prompt_cache_key":"k","safety_identifier":"""#,
            r#""prompt_cache_key":null,"safety_identifier":null"#,
            r#""conversation_id":"c""#,
            r#""conversation_id":null"#,
        ],
        &[
            (r#""prompt_cache_key":^7"#, "/prompt_cache_key type number"),
            (r#""safety_identifier":^[]"#, "/safety_identifier type array"),
            (r#""conversation_id":^" ""#, "/conversation_id blank string"),
            (r#""conversation_id":^7"#, "/conversation_id type number"),
        ],
    ),
    // Nothing is asked of what no table names.
    (&[r#""seed":"x","user":7,"logit_bias":[],"parallel_tool_calls":0,"metadata":null"#], &[]),
];
