//! The request itself is wrong: its form, its address, the files it names.

use super::guides;

guides! {
    VALIDATION {
        cause:
            "缺少必填字段，或请求体不是合法的 JSON"
            "a required field is missing, or the body is not well-formed JSON",
            "字段的数据类型、格式或取值范围不符合接口要求"
            "a field's type, format or range does not fit the interface",
            "数组或对象的结构不对，例如 messages 不是非空数组"
            "an array or object has the wrong structure, such as an empty messages array",
        remedy:
            "对照接口文档补全必填字段，修正类型与格式"
            "add the missing fields and correct mistyped ones, as the API docs say",
            "data 里列出了每处问题时，按所给位置逐项修正"
            "where data lists the violations, fix each at the position it names",
            "发送前用 JSON Schema 或参数校验库预先校验"
            "check requests with a JSON Schema or a validation library before sending them",
    }
    PARAMS_INVALID {
        cause:
            "请求格式正确，但某个参数的取值不被接受"
            "the request is well formed, and the value of one parameter is not accepted",
            "参数之间互相冲突，或与所选模型不符"
            "parameters contradict each other or the model",
        remedy:
            "修改错误信息或 param 指出的参数"
            "change the parameter that the message or param names",
            "去掉模型不支持的参数，或改成它规定的固定值"
            "drop parameters that the model does not take, or send the one value it takes",
            "从最小的请求开始逐个加回参数，找出有问题的一个"
            "start from the smallest request and add parameters one by one until it fails",
    }
    UNPROCESSABLE {
        cause:
            "JSON 本身合法，但与接口要求的结构对不上"
            "the JSON is well formed and has not the structure that the route reads",
            "字段名写错，或嵌套层级不对"
            "a field name is misspelt, or fields are nested at the wrong level",
        remedy:
            "对照接口文档核对字段名、类型与嵌套层级"
            "compare field names, types and nesting with the API docs",
            "与一次成功的请求逐字段比较"
            "compare field by field with a request that succeeds",
    }
    ROUTE_NOT_FOUND {
        cause:
            "请求路径不对，或缺少 /v1 这样的版本号"
            "the path is wrong, or lacks a version such as /v1",
            "base_url 指向了别的服务"
            "base_url points at another service",
            "服务器路由配置有误，或代理改写了路径"
            "the server's routes are misconfigured, or a proxy rewrites the path",
        remedy:
            "核对请求路径与版本号，最常见的是缺少 /v1"
            "check the path and its version; most often /v1 is missing",
            "核对 HTTP 方法：对话接口是 POST /v1/chat/completions"
            "check the method: chat is POST /v1/chat/completions",
            "确认 Content-Type 为 application/json"
            "make sure that Content-Type is application/json",
            "用 curl 请求 GET /v1/models，确认基础路由连通"
            "try GET /v1/models with curl, to see whether any route answers",
    }
    METHOD_NOT_ALLOWED {
        cause:
            "路径存在，但不接受这个 HTTP 方法，例如用 GET 调用了只收 POST 的接口"
            "the path exists and does not take this method, such as GET where only POST is",
            "重定向把 POST 变成了 GET"
            "a redirect turned POST into GET",
        remedy:
            "改用响应头 Allow 列出的方法"
            "use a method that the answer's Allow header lists",
            "直接使用最终的 https 地址，避免重定向改变方法"
            "call the final https address, so that no redirect changes the method",
    }
    UNSUPPORTED_MEDIA_TYPE {
        cause:
            "没有 Content-Type，或不是接口支持的类型"
            "Content-Type is missing, or is not one that the route reads",
            "请求体以表单或纯文本形式发送"
            "the body was sent as a form or as plain text",
        remedy:
            "把请求头 Content-Type 设为 application/json"
            "set the Content-Type header to application/json",
            "Connect 流式接口改用 application/connect+json"
            "for Connect streams, use application/connect+json",
            "只有上传文件时才用 multipart/form-data"
            "keep multipart/form-data for file uploads",
    }
    PAYLOAD_TOO_LARGE {
        cause:
            "请求体超过服务端或中间代理的上限"
            "the body is larger than the server, or a proxy before it, accepts",
            "消息里内嵌了图片或长文件"
            "messages carry images or long files inline",
        remedy:
            "压缩或拆分内容，减少内嵌的图片与文本"
            "shrink or split the content, drop inline images and text",
            "Kimi 平台的消息总量不超过 2 MiB，大文件用 ms://file_id 引用"
            "keep all messages within 2 MiB on the Kimi platform, refer to files by ms://file_id",
            "检查代理的请求体上限，例如 nginx 的 client_max_body_size"
            "check the limits of proxies, such as nginx's client_max_body_size",
    }
    FILE_URL_INVALID {
        cause:
            "文件 URL 不是有效的 http 或 https 链接"
            "the URL is not a valid http or https link",
            "文件无法公开访问，或格式不受支持"
            "the file is not public, or its type is not supported",
            "文件内容损坏或已加密"
            "the file is damaged or encrypted",
        remedy:
            "确认 URL 以 http:// 或 https:// 开头且可公开访问"
            "make sure that the URL starts with http:// or https:// and is public",
            "确认格式受支持：PDF、TXT、DOC、DOCX"
            "make sure that the type is supported: PDF, TXT, DOC, DOCX",
            "直接访问该 URL，确认文件能正常下载和打开"
            "open the URL yourself and see that the file downloads and opens",
    }
    FILE_TOO_LARGE {
        cause:
            "文件超过大小上限，通常为 100 MB"
            "the file is larger than the limit, commonly 100 MB",
            "服务器没有给出 Content-Length，下载到一半才发现超限"
            "its server names no Content-Length, and the limit was met while downloading",
        remedy:
            "压缩或拆分文件到 100 MB 以内"
            "shrink the file, or split it into parts below 100 MB",
            "发送前用 HEAD 请求检查 Content-Length"
            "check Content-Length with a HEAD request before sending",
            "只提取需要的页或文字再发送"
            "send only the pages or the text that you need",
    }
}
