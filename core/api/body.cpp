#include "core/api/body.h"

#include "core/api/member.h"
#include "core/api/refusal.h"
#include "core/base/text.h"

namespace stepper::api {

std::string_view withoutMark(std::string_view text) {
    constexpr std::string_view kMark = "\xEF\xBB\xBF";
    return text.starts_with(kMark) ? text.substr(kMark.size()) : text;
}

Result<Body> parseBody(std::string_view text) {
    for (const std::string_view mark : {"\xFE\xFF", "\xFF\xFE"})
        if (text.starts_with(mark)) return refusal("Request body is UTF-16 text: send it as UTF-8");
    text = withoutMark(text);
    if (trim(text).empty()) return Body(std::make_shared<const json::Document>(rapidjson::kObjectType));
    json::ParseLimits limits;
    limits.reject_duplicate_keys = true;
    auto body = json::parse(text, limits);
    if (!body) return refusal("Request body is not valid JSON: " + body.error().message);
    return Body(std::make_shared<const json::Document>(std::move(body).value()));
}

Result<void> checkVersion(const json::Value& body) {
    const auto* version = member(body, "contractVersion");
    if (!version || (version->IsString() && json::view(*version) == kContractVersion)) return {};
    return Error{ErrorClass::Unsupported, "Request contract version is not supported"};
}

}  // namespace stepper::api
