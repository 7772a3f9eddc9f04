// What a response says about the Space itself: Hugging Face answers in the app's stead while it is not
// running.
#pragma once
#include <string>
#include <string_view>

namespace hfspace {

enum class Condition {
    Serving,  // the app answered
    Asleep,   // sleeping, building or starting; comes up by itself
    Down,     // paused or broken; stays so until its owner acts
    Page,     // an HTML page that says none of this
};

// Pure.
Condition conditionOf(int status, std::string_view content_type, std::string_view body);

// What a page or an error body says, fit for an error message.
std::string wordsOf(std::string_view body);

}  // namespace hfspace
