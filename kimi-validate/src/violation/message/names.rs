//! What the members of a request are called.

use super::place::{Step, shown, steps};

/// Returns a place in Chinese, such as 「消息0的角色(role)」, as the article has it.
pub(super) fn zh(pointer: &str) -> String {
    let words = steps(pointer).map(|step| match step {
        Step::Item(list, index) => match item(&list) {
            Some(item) => format!("{}{index}", item.zh),
            None => format!("{}[{index}]", shown(&list)),
        },
        Step::Name(name) => match gloss(&name) {
            Some(gloss) => format!("{gloss}({name})"),
            None => shown(&name).into_owned(),
        },
    });
    match words.collect::<Vec<_>>() {
        none if none.is_empty() => "请求体".to_owned(),
        words => words.join("的"),
    }
}

/// Returns a place in English, such as `message 0, part 1: image_url.url`.
pub(super) fn en(pointer: &str) -> String {
    let mut words = String::new();
    let mut was_item = false;
    for step in steps(pointer) {
        let is_item = matches!(step, Step::Item(..));
        words.push_str(match (words.is_empty(), was_item, is_item) {
            (true, ..) => "",
            (false, _, true) => ", ",
            (false, true, false) => ": ",
            (false, false, false) => ".",
        });
        was_item = is_item;
        match step {
            Step::Item(list, index) => {
                words.push_str(item(&list).map_or(&*shown(&list), |item| item.en));
                words.push(' ');
                words.push_str(index);
            }
            Step::Name(name) => words.push_str(&shown(&name)),
        }
    }
    match words.is_empty() {
        true => "the body".to_owned(),
        false => words,
    }
}

struct Item {
    zh: &'static str,
    en: &'static str,
}

/// What one item of a list is called.
fn item(list: &str) -> Option<Item> {
    let (zh, en) = match list {
        "messages" => ("消息", "message"),
        "content" => ("内容片段", "part"),
        "tools" => ("工具", "tool"),
        "tool_calls" => ("工具调用", "tool call"),
        "stop" => ("停止词", "stop text"),
        _ => return None,
    };
    Some(Item { zh, en })
}

/// What a member is called in Chinese. The first five are the article's words.
pub(super) fn gloss(name: &str) -> Option<&'static str> {
    Some(match name {
        "model" => "模型ID",
        "messages" => "消息列表",
        "role" => "角色",
        "content" => "内容",
        "stream" => "流式输出",
        "arguments" => "调用参数",
        "conversation_id" => "对话ID",
        "description" => "说明",
        "file_url" => "文件",
        "frequency_penalty" => "频率惩罚",
        "function" => "函数",
        "id" => "标识",
        "image_url" => "图片",
        "include_usage" => "用量统计",
        "json_schema" => "结构定义",
        "keep" => "保留",
        "logprobs" => "对数概率",
        "max_completion_tokens" | "max_tokens" => "最大输出长度",
        "n" => "回答个数",
        "name" => "名称",
        "parameters" => "参数定义",
        "partial" => "续写",
        "prediction" => "预测内容",
        "presence_penalty" => "存在惩罚",
        "prompt_cache_key" => "缓存键",
        "reasoning_content" => "思考内容",
        "reasoning_effort" => "思考强度",
        "response_format" => "回答格式",
        "safety_identifier" => "安全标识",
        "schema" => "模式",
        "stop" => "停止词",
        "strict" => "严格模式",
        "stream_options" => "流式选项",
        "temperature" => "采样温度",
        "text" => "文本",
        "thinking" => "思考",
        "tool_call_id" => "工具调用ID",
        "tool_calls" => "工具调用列表",
        "tool_choice" => "工具选择",
        "tools" => "工具列表",
        "top_logprobs" => "候选对数概率数",
        "top_p" => "核采样",
        "type" => "类型",
        "url" => "地址",
        "use_search" => "联网搜索",
        "video_url" => "视频",
        _ => return None,
    })
}
