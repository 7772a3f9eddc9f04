#include "core/http/media_type.h"

#include <string>

#include <Poco/Net/MediaType.h>

#include "core/base/text.h"

namespace stepper::http {

bool isJson(std::string_view content_type) {
    const Poco::Net::MediaType type{std::string(content_type)};
    const auto main = lower(type.getType()), subtype = lower(type.getSubType());
    const bool json = ((main == "application" || main == "text") && subtype == "json") ||
                      (!main.empty() && subtype.size() > 5 && subtype.ends_with("+json"));
    if (!json || !type.hasParameter("charset")) return json;
    const auto charset = lower(trim(type.getParameter("charset")));
    return charset == "utf-8" || charset == "utf8" || charset == "us-ascii" || charset == "ascii";
}

}  // namespace stepper::http
