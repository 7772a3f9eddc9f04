// Whether user content leaves with its secrets taken out, see core/secrets/redact.h.
#pragma once

namespace stepper::prompt {

// The owner's setting security.redact, as the functions that render user content take it.
enum class Redaction { Off, On };

constexpr Redaction redactionIf(bool wanted) { return wanted ? Redaction::On : Redaction::Off; }

}  // namespace stepper::prompt
