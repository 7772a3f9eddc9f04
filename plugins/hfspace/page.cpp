#include "page.hpp"

#include <algorithm>
#include <initializer_list>

#include "stepper/kit/failure.hpp"

namespace hfspace {
namespace {

namespace kit = stepper::kit;

constexpr size_t kPageBytes = 65'536;  // a splash is small; an app's own page may not be

// The title is often only the Space's name, so the text around it counts as well.
std::string visibleText(std::string_view html) {
    std::string low = kit::lower(html.substr(0, kPageBytes));
    for (size_t i = 0; (i = low.find("<title", i)) != std::string::npos;) low.replace(i, 6, "<p");
    return kit::htmlText(low);
}

bool says(std::string_view text, std::initializer_list<std::string_view> phrases) {
    return std::any_of(phrases.begin(), phrases.end(),
                       [&](auto phrase) { return kit::contains(text, phrase); });
}

}  // namespace

Condition conditionOf(int status, std::string_view content_type, std::string_view body) {
    const bool page = kit::trim(body).starts_with('<') || kit::lower(content_type).starts_with("text/html");
    const bool success = status >= 200 && status < 300;
    // Any other status means the same from Hugging Face as from the app.
    if (status != 503 && !(page && (success || status == 404))) return Condition::Serving;

    const std::string text = page ? visibleText(body) : kit::lower(body);
    if (says(text, {"paused", "build error", "runtime error", "configuration error", "config error",
                    "no application file"}))
        return Condition::Down;
    if (says(text, {"sleeping", "asleep", "waking up", "preparing space", "is building", "is starting",
                    "restarting"}))
        return Condition::Asleep;
    return page ? Condition::Page : Condition::Serving;
}

std::string wordsOf(std::string_view body) {
    const std::string words = kit::presentable(kit::readErrorBody(body.substr(0, kPageBytes)).message);
    return words.empty() ? "no reason given" : words;
}

}  // namespace hfspace
