// The kinds of requests: by which door one came, and what it asks. Stored jobs carry their names.
#pragma once
#include <initializer_list>
#include <string_view>

namespace stepper::jobs {

enum class RequestKind {
    Generate,
    Report,        // a commit report, of an endpoint of its own
    ReportPreset,  // a commit report asked for as a preset of Generate
};

constexpr std::string_view name(RequestKind kind) {
    switch (kind) {
        case RequestKind::Generate: break;
        case RequestKind::Report: return "report";
        case RequestKind::ReportPreset: return "generate/report";
    }
    return "generate";
}

// Of a stored job; a name that this version does not know is read as Generate.
constexpr RequestKind requestKindOf(std::string_view stored) {
    for (const auto kind : {RequestKind::Report, RequestKind::ReportPreset})
        if (stored == name(kind)) return kind;
    return RequestKind::Generate;
}

}  // namespace stepper::jobs
