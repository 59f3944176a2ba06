//! JSON texts that no profile takes.

/// Each with all that is found; `^` marks where.
pub(super) const SHAPE: &[(&[u8], &str)] = &[
    // Not an object.
    (b"^[]", ". type array"),
    (b" ^[{}]", ". type array"),
    (b"^\"hi\"", ". type string"),
    (b"^7", ". type number"),
    (b"\n^true", ". type boolean"),
    (b"^null", ". type null"),
    // Names that stand twice: the first is judged, the second only told of.
    (
        br#"{"model":"k","messages":[{"role":"user","content":"x"}],"model":^"k"}"#,
        "/model duplicate_key string",
    ),
    (
        br#"{"model":"k","messages":[{"role":"user","content":"x"}],"mod\u0065l":^null}"#,
        "/model duplicate_key null",
    ),
    (
        br#"{"\u006dodel":"k","messages":[{"role":"user","content":"x"}],"model":^[1]}"#,
        "/model duplicate_key array",
    ),
    (
        br#"{"model":"k","messages":[{"role":"user","content":"x"}],"messages":^[7]}"#,
        "/messages duplicate_key array",
    ),
    (
        br#"{"model":"k","messages":[{"role":"user","content":"x","role":^"no","role":^7}]}"#,
        "/messages/0/role duplicate_key string; /messages/0/role duplicate_key number",
    ),
    (
        br#"{"model":^7,"messages":[{"role":"user","content":"x"}],"model":^"k"}"#,
        "/model type number; /model duplicate_key string",
    ),
    (
        br#"{"model":"k","messages":[{"role":"user","content":"x"}],"stream":true,"stream":^1}"#,
        "/stream duplicate_key number",
    ),
    // Several faults in one message, whatever the order of its members.
    (
        br#"{"model":"k","messages":[{"role":^"x","content":^""}]}"#,
        "/messages/0/role one_of string; /messages/0/content blank string",
    ),
    (
        br#"{"model":"k","messages":[{"content":^"","role":^"x"}]}"#,
        "/messages/0/content blank string; /messages/0/role one_of string",
    ),
    (
        br#"{"messages":[{"content":^7,"role":^null}],"model":^" "}"#,
        "/messages/0/content type number; /messages/0/role type null; /model blank string",
    ),
    (
        br#"{"model":"k","messages":[^^{"name":"n"}]}"#,
        "/messages/0/role required -; /messages/0/content required -",
    ),
    (
        br#"{"model":"k","messages":[{"role":^"x","content":^" ","content":^"y"},^8]}"#,
        "/messages/0/role one_of string; /messages/0/content blank string; \
         /messages/0/content duplicate_key string; /messages/1 type number",
    ),
    // Everything at once, in the order of the input: what is missing stands where its object does.
    (
        br#"^{"stream":^0,"messages":[^{"content":^[]},{"role":^[],"content":"x"},^"no"]}"#,
        "/model required -; /stream type number; /messages/0/role required -; \
         /messages/0/content type array; /messages/1/role type array; /messages/2 type string",
    ),
    // Messages that are no objects, and lists that are none.
    (br#"{"model":"k","messages":^{}}"#, "/messages type object"),
    (br#"{"model":"k","messages":^[]}"#, "/messages min_items array"),
    (br#"{"model":"k","messages":[^null,^[]]}"#, "/messages/0 type null; /messages/1 type array"),
    // Names are what they stand for.
    (
        br#"{"m\u006fdel":"k","messages":[{"r\u006fle":"us\u0065r","content":^"\u3000"}]}"#,
        "/messages/0/content blank string",
    ),
];
