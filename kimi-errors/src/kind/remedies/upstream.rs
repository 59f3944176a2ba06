//! The service behind us failed.

use super::guides;

guides! {
    REQUEST_FAILED {
        cause:
            "服务请求上游时失败，具体原因见错误信息"
            "the service's own request to the upstream failed; the message says why",
            "上游拒绝了它的凭证，或暂时出错"
            "the upstream refused its credential, or failed for a moment",
        remedy:
            "指数退避后重试，最多 3 次，从 1 秒起翻倍"
            "retry with exponential backoff, at most 3 times, starting at 1 s",
            "阅读错误信息里上游的原文，按它的类型处理"
            "read the upstream's own words in the message and act on those",
            "一直失败时更换 refresh_token，并检查账号状态"
            "if it goes on failing, replace the refresh_token and check the account",
    }
    BAD_GATEWAY {
        cause:
            "上游断开了连接，或返回的不是合法回答"
            "the upstream broke the connection, or answered what is not an answer",
            "代理返回了 HTML 错误页"
            "a proxy answered with an HTML error page",
        remedy:
            "退避后重试；一直失败时检查 base_url 与代理"
            "retry with backoff; if it goes on failing, check base_url and proxies",
            "绕过代理直接请求上游，找出是哪一跳出错"
            "ask the upstream without the proxy, to find the hop that fails",
    }
    OVERLOADED {
        cause:
            "模型引擎负载过高，与账户余额无关"
            "the model's engine has too much to do; the balance has no part in it",
        remedy:
            "按 Retry-After 等待再退避重试，充值无效"
            "wait as Retry-After says, then back off; topping up does not help",
            "降低并发"
            "lower the concurrency",
            "避开工作日 14 至 17 点的高峰"
            "avoid the peak, weekdays from 14 to 17 o'clock (UTC+8)",
    }
    UNAVAILABLE {
        cause:
            "服务暂时不可用：正在重启、维护或排空"
            "the service cannot answer now: it restarts, is maintained or drains",
        remedy:
            "退避后重试，同时查看服务状态页"
            "retry with backoff, and look at the service's status page",
            "按 Retry-After 给出的时间等待"
            "wait as long as Retry-After says",
            "持续不可用时切换到备用上游"
            "switch to another upstream if it lasts",
    }
    TIMEOUT {
        cause:
            "没有在限定时间内收到回答"
            "no answer came within the time allowed",
            "非流式的长回答超过了网关的超时"
            "a long answer without streaming outlasted the gateway's time-out",
        remedy:
            "改用 stream=true，再退避重试"
            "use stream=true, then retry with backoff",
            "调大客户端与代理的超时"
            "raise the time-outs of client and proxies",
            "换用更小的文件，或把任务拆开"
            "send smaller files, or split the task",
    }
    STREAM_TRUNCATED {
        cause:
            "流在 [DONE] 之前结束，已收到的内容不完整"
            "the stream ended before [DONE], so that what came is incomplete",
            "上游或中间代理断开了连接"
            "the upstream, or a proxy, broke the connection",
        remedy:
            "当作失败：丢弃半截内容后重试"
            "treat it as failed: drop the partial text and retry",
            "检查代理的空闲超时与缓冲设置"
            "check the idle time-out and the buffering of proxies",
    }
}
