//! The codes and types that the platform's error object, and those made after it, may hold.

use crate::{
    ErrorKind::{
        Cancelled, Conflict, ContentFiltered, ContextLength, InvalidCredentials, LengthLimit,
        NotFound, Overloaded, ParamsInvalid, PayloadTooLarge, PermissionDenied, QuotaExhausted,
        RateLimited, RequestFailed, RouteNotFound, StreamTruncated, System, Timeout, Unavailable,
        UnsupportedMediaType,
    },
    decode::Rule,
};

/// Codes and types, of the platform first, then of OpenAI and Anthropic, whose SDKs and gateways
/// people put before it.
pub(super) const WORDS: &[Rule] = &[
    Rule::on(&["engine_overloaded_error"], Overloaded),
    Rule::on(&["rate_limit_reached_error"], RateLimited),
    Rule::on(&["exceeded_current_quota_error"], QuotaExhausted),
    Rule::on(&["invalid_authentication_error"], InvalidCredentials),
    Rule::on(&["incorrect_api_key_error"], InvalidCredentials),
    Rule::on(&["unauthorized_error"], InvalidCredentials),
    Rule::on(&["access_terminated_error"], PermissionDenied),
    Rule::on(&["permission_denied_error"], PermissionDenied),
    Rule::on(&["resource_not_found_error"], NotFound),
    Rule::on(&["url.not_found"], RouteNotFound),
    Rule::on(&["content_filter"], ContentFiltered),
    Rule::on(&["client_closed_request"], Cancelled),
    Rule::on(&["server_error"], System),
    Rule::on(&["unexpected_output"], System),
    Rule::on(&["server_unavailable"], Unavailable),
    Rule::on(&["stream_error"], RequestFailed),
    Rule::on(&["stream_truncated"], StreamTruncated),
    // Hosted agents, and the session events of theirs.
    Rule::on(&["invalid_parameter_error"], ParamsInvalid),
    Rule::on(&["failed_precondition_error"], ParamsInvalid),
    Rule::on(&["authentication_error"], InvalidCredentials),
    Rule::on(&["conflict_error"], Conflict),
    Rule::on(&["internal_error"], System),
    Rule::on(&["model_error"], System),
    Rule::on(&["model_unavailable"], Unavailable),
    Rule::on(&["rate_limited"], RateLimited),
    Rule::on(&["engine_overloaded"], Overloaded),
    Rule::on(&["quota_exceeded"], QuotaExhausted),
    Rule::on(&["context_length_exceeded"], ContextLength),
    Rule::on(&["timeout"], Timeout),
    Rule::on(&["max_steps"], LengthLimit),
    Rule::on(&["mcp_connection_failed"], RequestFailed),
    Rule::on(&["mcp_authentication_failed"], InvalidCredentials),
    // OpenAI.
    Rule::on(&["insufficient_quota"], QuotaExhausted),
    Rule::on(&["rate_limit_exceeded"], RateLimited),
    Rule::on(&["billing_hard_limit_reached"], QuotaExhausted),
    Rule::on(&["invalid_api_key"], InvalidCredentials),
    Rule::on(&["model_not_found"], NotFound),
    Rule::on(&["content_policy_violation"], ContentFiltered),
    Rule::on(&["unsupported_media_type"], UnsupportedMediaType),
    Rule::on(&["service_unavailable_error"], Unavailable),
    // Anthropic.
    Rule::on(&["rate_limit_error"], RateLimited),
    Rule::on(&["overloaded_error"], Overloaded),
    Rule::on(&["permission_error"], PermissionDenied),
    Rule::on(&["not_found_error"], NotFound),
    Rule::on(&["request_too_large"], PayloadTooLarge),
    Rule::on(&["billing_error"], QuotaExhausted),
    Rule::on(&["timeout_error"], Timeout),
    Rule::on(&["api_error"], System),
    // one-api and new-api, LiteLLM.
    Rule::on(&["insufficient_user_quota"], QuotaExhausted),
    Rule::on(&["pre_consume_token_quota_failed"], QuotaExhausted),
    Rule::on(&["budget_exceeded"], QuotaExhausted),
    // Volcano Ark, MiniMax, Bailian.
    Rule::on(&["AccountOverdueError"], QuotaExhausted),
    Rule::on(&["AuthenticationError"], InvalidCredentials),
    Rule::on(&["ModelNotOpen"], PermissionDenied),
    Rule::on(&["InputTextSensitiveContentDetected"], ContentFiltered),
    Rule::on(&["SensitiveContentDetected"], ContentFiltered),
    Rule::on(&["insufficient_balance_error"], QuotaExhausted),
    Rule::on(&["authorized_error"], InvalidCredentials),
    Rule::on(&["Arrearage"], QuotaExhausted),
    Rule::on(&["InvalidApiKey"], InvalidCredentials),
    Rule::on(&["DataInspectionFailed"], ContentFiltered),
    Rule::on(&["data_inspection_failed"], ContentFiltered),
    // Azure, LiteLLM, llama.cpp, TGI.
    Rule::on(&["DeploymentNotFound"], NotFound),
    Rule::on(&["token_not_found_in_db"], InvalidCredentials),
    Rule::on(&["exceed_context_size_error"], ContextLength),
    Rule::on(&["generation"], RequestFailed),
    Rule::on(&["overloaded"], Overloaded),
];

/// Types that say only that the caller is to blame; a 4xx other than 400 says more.
pub(super) const CALLER_WORDS: &[&str] = &["invalid_request_error", "invalid_request"];
