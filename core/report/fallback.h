// The report that stands in when no model answers, made of the commit itself. Pure, any thread.
#pragma once
#include "core/report/commit.h"

namespace stepper::report {

// The same commit gives the same report, and every commit one that obeys the Rules.
json::Document fallback(const Commit& commit, prompt::Redaction redaction);

}  // namespace stepper::report
