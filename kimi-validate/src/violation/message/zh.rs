use super::{
    Article, Expected, Rule, Violation, article, choice, names, place_of, size, takes_parts,
};

pub(super) fn sentence(violation: &Violation) -> String {
    let place = names::zh(&violation.pointer);
    let wanted = wanted(&violation.expected);
    let at = at(&violation.expected);
    match article(violation) {
        Some(Article::Model) => return format!("{place}不能为空"),
        Some(Article::Messages) => return format!("{place}必须是非空数组"),
        Some(Article::Role) => return format!("{place}必须是{wanted}"),
        Some(Article::Content) if takes_parts(violation) => {
            return format!("{place}必须是非空字符串或非空数组");
        }
        Some(Article::Content) => return format!("{place}必须是非空字符串"),
        Some(Article::Stream) => return format!("{place}必须是布尔值"),
        None => {}
    }
    match violation.rule {
        Rule::BodyBytes => match violation.expected {
            Expected::Count(max) => format!("请求体不能超过{}，请缩短后重发", size(max, "字节")),
            _ => "请求体超出上限，请缩短后重发".to_owned(),
        },
        Rule::EmptyBody => "请求体不能为空，请发送JSON对象".to_owned(),
        Rule::Bom => "请求体不能以字节顺序标记(BOM)开头，请去掉".to_owned(),
        Rule::Utf8 => format!("请求体{at}不是UTF-8，请用UTF-8编码"),
        Rule::Syntax if matches!(violation.expected, Expected::More(_)) => {
            format!("请求体的JSON不完整，{at}就结束了，请完整发送")
        }
        Rule::Syntax => format!("请求体{at}不符合JSON语法，请检查引号、逗号和括号"),
        Rule::LoneSurrogate => {
            format!("请求体{at}的转义只有半个代理对，请成对书写或直接写字符")
        }
        Rule::TrailingData => format!("请求体{at}在JSON之后还有内容，请只发送一个JSON对象"),
        Rule::NumberOverflow => format!("请求体{at}的数字超出双精度范围，请改小"),
        Rule::Depth => match violation.expected {
            Expected::Levels(max, _) => {
                format!("请求体{at}的嵌套超过{max}层，请减少层数")
            }
            _ => format!("请求体{at}的嵌套过深，请减少层数"),
        },
        Rule::DuplicateKey => format!("{place}重复出现，请只保留一个"),
        Rule::Required => match violation.expected {
            Expected::Names(_) => format!("缺少{place}，请填{wanted}"),
            _ => format!("缺少{place}，请补上"),
        },
        Rule::Type => format!("{place}必须是{wanted}{}", instead(violation)),
        Rule::Blank => format!("{place}不能为空或只有空白"),
        Rule::MinItems => format!("{place}至少要有{wanted}项"),
        Rule::MaxItems => format!("{place}最多{wanted}项，请减少"),
        Rule::OneOf => format!("{place}必须是{wanted}"),
        Rule::Range => format!("{place}必须在{wanted}之间"),
        Rule::Integer => format!("{place}必须是整数"),
        Rule::MaxBytes => match violation.expected {
            Expected::Count(max) => format!("{place}最长{max}字节(UTF-8)，请缩短"),
            _ => format!("{place}过长，请缩短"),
        },
        Rule::Pattern => format!("{place}的格式不正确，应为{wanted}"),
        Rule::Unique => format!("{place}与前面的重复，请改用不同的值"),
        Rule::Requires => format!("使用{place}时，要求{wanted}"),
        Rule::ToolCallId => {
            format!("{place}与前一条assistant消息的工具调用都不对应，请填其中一个的id")
        }
        Rule::Unanswered => {
            format!("{place}没有对应的tool消息，请紧随其后为每个工具调用各补一条")
        }
        Rule::Partial => format!(
            "{place}只能用在最后一条消息，且须为assistant消息，不能与response_format的json_object同用"
        ),
    }
}

fn wanted(expected: &Expected) -> String {
    match expected {
        Expected::Count(count) => count.to_string(),
        Expected::Between(min, max) => format!("{min}到{max}"),
        Expected::Names(names) => choice(names.iter().map(|it| &**it), "、", "或"),
        Expected::Types(types) => choice(types.iter().copied().map(type_name), "、", "或"),
        Expected::Words { zh, .. } => (*zh).to_owned(),
        Expected::Nothing | Expected::Place(_) | Expected::More(_) | Expected::Levels(..) => {
            "规则要求的值".to_owned()
        }
    }
}

fn at(expected: &Expected) -> String {
    place_of(expected).map_or_else(String::new, |it| format!("第{}行第{}列", it.line, it.column))
}

fn instead(violation: &Violation) -> String {
    let found = violation.found.map(|found| format!("，而不是{}", type_name(found.name())));
    found.unwrap_or_default()
}

/// The names of [`JsonType`](crate::JsonType), and `integer`.
fn type_name(name: &str) -> &str {
    match name {
        "object" => "对象",
        "array" => "数组",
        "string" => "字符串",
        "number" => "数字",
        "integer" => "整数",
        "boolean" => "布尔值",
        other => other,
    }
}
