// The base URL of an OpenAI-compatible provider, also as services that append /v1/chat/completions have it.
// Pure.
#pragma once
#include <string>
#include <string_view>

namespace stepper::config {

struct BaseUrl {
    std::string url;     // what /chat/completions is appended to
    std::string remark;  // what was put right, or may be wrong; empty: nothing. It names the URL
};

// What `written` (http or https, no slash at its end) means for a provider called `name`. An endpoint at its
// end is taken off. Of the names of our own providers.yaml it is known where their version stands: a URL
// without a path, or with theirs but for the version, gets it. Where only the provider's people know, it
// stays as it is, which is remarked when it is `inherited`: written as an environment variable that other
// services read, too.
BaseUrl readBaseUrl(std::string_view name, std::string_view plugin, std::string_view written, bool inherited);

}  // namespace stepper::config
