//! A limit or a balance is used up.

use super::guides;

guides! {
    RATE_LIMITED {
        cause:
            "一分钟内的请求数（RPM）或 token 数（TPM）超过上限"
            "the requests (RPM) or tokens (TPM) of a minute exceed the limit",
            "短时间内集中发送了大量请求"
            "many requests were sent in a burst",
        remedy:
            "等待 Retry-After 或错误信息给出的时间，再退避重试"
            "wait as long as Retry-After or the message says, then back off",
            "在客户端限流：按 60/RPM 秒的间隔发送"
            "limit the rate in the client: one request every 60/RPM seconds",
            "减小 max_completion_tokens，少占用 TPM"
            "lower max_completion_tokens, which counts against TPM",
            "长期不够用时申请更高的等级"
            "ask for a higher tier if it is never enough",
    }
    CONCURRENCY_LIMITED {
        cause:
            "同时进行的请求数超过上限"
            "more requests run at the same time than the limit allows",
            "流式请求在输出结束前一直占用并发名额"
            "a streaming request holds its place until its stream ends",
        remedy:
            "等一个进行中的请求结束再发送"
            "wait for a running request to end before sending the next",
            "在客户端用信号量限制并发"
            "bound the concurrency in the client with a semaphore",
            "及时取消不再需要的流"
            "cancel streams as soon as nobody needs them",
    }
    USAGE_LIMITED {
        cause:
            "当日 token 数（TPD），或 5 小时、每周、每月的用量已用完"
            "the day's tokens (TPD), or the usage of 5 hours, a week or a month, is used up",
        remedy:
            "等额度重置，重置之前不要反复重试"
            "wait for the reset; retrying before it does not help",
            "查询 /usages 里的 resetTime，得到重置时间"
            "see resetTime of /usages for the time of the reset",
            "升级等级或加购用量"
            "upgrade the tier or buy extra usage",
    }
    RESEARCH_LIMIT {
        cause:
            "探索版的使用次数已用完"
            "the uses of the research edition are used up",
        remedy:
            "等探索版的额度重置"
            "wait for the research quota to reset",
            "在此之前改用普通模型"
            "use an ordinary model until then",
    }
    QUOTA_EXHAUSTED {
        cause:
            "账户余额不足，或账户被停用"
            "the balance is used up, or the account is suspended",
            "已上传的文件数达到上限"
            "the number of uploaded files has reached its limit",
        remedy:
            "检查余额与账户状态，充值后再发送"
            "check the balance and the account; recharge before sending again",
            "文件数超限时删除旧文件"
            "delete old files if it is their number",
            "不要自动重试：同样的请求会再次失败"
            "do not retry automatically: the same request fails again",
    }
}
