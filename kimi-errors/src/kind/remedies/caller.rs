//! The request is well formed, and what it asks for cannot be had.

use super::guides;

guides! {
    NOT_FOUND {
        cause:
            "模型、会话或文件不存在，或已被删除"
            "the model, conversation or file does not exist or was deleted",
            "模型已下线，或对当前账号不可见"
            "the model is retired, or hidden from this account",
        remedy:
            "核对 id 与模型名，用 GET /v1/models 查看可用模型"
            "check the id and the model name; GET /v1/models lists the models",
            "会话已不存在时新建会话"
            "create a new conversation if the old one is gone",
            "确认 Key 与 base_url 属于同一平台"
            "make sure that the key and base_url belong to one platform",
    }
    CONFLICT {
        cause:
            "请求与资源的当前状态冲突"
            "the request contradicts the present state of the resource",
            "另一个请求先修改了该资源"
            "another request changed the resource first",
        remedy:
            "重新读取最新状态，再决定如何修改"
            "read the latest state, then decide on the change",
            "对同一资源的修改串行进行，或使用幂等键"
            "make changes of one resource one after another, or use an idempotency key",
    }
    CONTEXT_LENGTH {
        cause:
            "历史消息加上本次输入超出模型的上下文窗口"
            "the history and the input together exceed the model's context window",
            "max_completion_tokens 预留过多"
            "max_completion_tokens reserves too much of the window",
        remedy:
            "压缩或截断历史消息"
            "compact or cut the history",
            "减小 max_completion_tokens"
            "lower max_completion_tokens",
            "换用上下文更长的模型"
            "use a model with a larger window",
    }
    LENGTH_LIMIT {
        cause:
            "回答达到单次生成上限，内容不完整"
            "the answer ran into the limit of one generation and is incomplete",
            "max_completion_tokens 设得过小"
            "max_completion_tokens is too small",
        remedy:
            "接着已有内容继续生成，接口支持时带上 segment_id"
            "continue the answer, with its segment_id where the API has one",
            "调大 max_completion_tokens"
            "raise max_completion_tokens",
            "把任务拆成几次较短的回答"
            "split the task into several shorter answers",
    }
    CONTENT_FILTERED {
        cause:
            "输入或输出触发了内容审核"
            "the input or the output was stopped by content moderation",
            "问题也可能出在 system prompt、历史消息或图片里"
            "the reason may also stand in the system prompt, the history or an image",
        remedy:
            "修改输入，包括 system prompt 与历史消息"
            "change the input, system prompt and history included",
            "更换被拦截的图片"
            "replace the image that was refused",
            "丢弃已收到的半截内容，结束本轮"
            "drop the partial answer and end the turn",
    }
    INVALID_CREDENTIALS {
        cause:
            "没有携带 API Key，或 Key 不正确"
            "the API key is missing or wrong",
            "Key 属于另一个平台：.cn、.ai 与 Kimi Code 互不通用"
            "the key is of another platform: .cn, .ai and Kimi Code do not share keys",
        remedy:
            "检查 Authorization 头：Bearer 加空格加完整的 Key"
            "check the Authorization header: Bearer, a space, the whole key",
            "确认 Key 与 base_url 属于同一平台"
            "make sure that the key and base_url belong to one platform",
            "在控制台确认 Key 仍然有效，必要时新建"
            "see in the console that the key still exists, or create a new one",
    }
    PERMISSION_DENIED {
        cause:
            "账号或会员等级没有这项权限"
            "the account or its plan does not include this",
            "IP 或客户端不在白名单内"
            "the IP address or the client is not on the allow-list",
            "访问了他人的资源，或会话已被禁用"
            "the resource is someone else's, or the conversation is disabled",
        remedy:
            "确认账号权限，按需申请开通或升级"
            "see what the account may do; ask for access or upgrade the plan",
            "请管理员把 IP 加入白名单，或换用受支持的客户端"
            "have an administrator allow the IP address, or use a supported client",
            "只访问自己的资源；会话被禁用时新建会话"
            "use your own resources; create a new conversation if one is disabled",
    }
    CANCELLED {
        cause:
            "客户端在收到完整回答之前断开了连接"
            "the client went away before the answer was complete",
            "客户端或中间代理的超时太短"
            "the time-out of the client, or of a proxy, is too short",
        remedy:
            "检查客户端与代理的超时，长回答需要更长时间"
            "check the time-outs of client and proxies; long answers take longer",
            "使用 stream=true，让首个数据块尽早到达"
            "use stream=true, so that the first chunk comes early",
            "仍需要结果时再重新发送"
            "send the request again only if its answer is still wanted",
    }
}
