//! We failed.

use super::guides;

guides! {
    SYSTEM {
        cause:
            "服务内部出错，细节只写在服务日志里"
            "the service failed inside; only its log holds the details",
            "上游返回了无法归类的错误"
            "the upstream answered an error that fits no other kind",
        remedy:
            "指数退避后重试，最多 3 次，从 1 秒起翻倍"
            "retry with exponential backoff, at most 3 times, starting at 1 s",
            "用请求 id 在服务日志里查找原因"
            "look the request id up in the service's log",
            "每次都失败时，先与一次成功的请求比较参数"
            "if it fails every time, compare it with a request that succeeds",
    }
    NOT_IMPLEMENTED {
        cause:
            "服务没有实现该接口或方法"
            "the service does not have this operation",
        remedy:
            "改用已实现的接口"
            "use an operation that the service has",
            "升级服务端，或改为请求支持它的上游"
            "upgrade the server, or call an upstream that has it",
    }
    TEST {
        cause:
            "API 的测试主动抛出了这个错误"
            "a test of the API threw this error on purpose",
        remedy:
            "查看服务日志，确认测试开关没有误开"
            "look at the server's log, and see that no test switch was left on",
            "不要重试"
            "do not retry",
    }
}
