#include "core/http/media_type.h"

#include <string>

#include <Poco/Net/MediaType.h>

#include "core/base/text.h"

namespace stepper::http {

bool isJson(std::string_view content_type) {
    const Poco::Net::MediaType type{std::string(content_type)};
    const auto subtype = lower(type.getSubType());
    const bool json = (equalsIgnoreCase(type.getType(), "application") && subtype == "json") ||
                      (!type.getType().empty() && subtype.size() > 5 && subtype.ends_with("+json"));
    return json && (!type.hasParameter("charset") || equalsIgnoreCase(type.getParameter("charset"), "utf-8"));
}

}  // namespace stepper::http
