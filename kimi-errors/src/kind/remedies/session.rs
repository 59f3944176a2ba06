//! The credential or the conversation is in the wrong state.

use super::guides;

guides! {
    TOKEN_EXPIRED {
        cause:
            "token 已超过有效期：同样的代码此前能正常请求"
            "the token is past its lifetime: the same code worked before",
            "token 被服务器吊销"
            "the server revoked the token",
            "token 格式错误或被篡改"
            "the token is malformed or was altered",
        remedy:
            "刷新或重新获取 token，然后只重试一次"
            "refresh the token or get a new one, then retry once",
            "在过期之前自动刷新，不要等到 401"
            "refresh ahead of expiry instead of waiting for a 401",
            "检查 Bearer 前缀与 token 是否完整"
            "check that the Bearer prefix and the whole token are there",
            "刷新也返回 401 时重新登录"
            "log in again if the refresh is answered 401 too",
    }
    STREAM_BUSY {
        cause:
            "同一会话的上一个回答还没输出完，就发送了新请求"
            "a new request was sent before the conversation's last answer had ended",
            "多个请求并行使用同一个会话 id"
            "parallel requests share one conversation id",
            "客户端超时后重发，而上游的流仍在输出"
            "the client timed out and sent again while the upstream went on streaming",
        remedy:
            "同一会话的请求排队，等上一个流结束再发送"
            "queue requests per conversation; send when the running stream ends",
            "不再需要的流，先取消再发送"
            "cancel a stream that nobody needs before sending the next request",
            "互不相关的任务各用一个会话"
            "give unrelated tasks conversations of their own",
            "跟踪请求状态，避免重复发送"
            "track the state of requests, so that none is sent twice",
    }
}
