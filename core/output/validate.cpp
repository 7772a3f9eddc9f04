#include "core/output/validate.h"

#include "core/base/text.h"
#include "core/output/commit_report.h"
#include "core/output/extract.h"

namespace stepper::output {
namespace {

Result<json::Document> asString(std::string_view text) {
    if (trim(text).empty()) return Error{ErrorClass::BadResponse, "Response is empty."};
    json::Document out;
    out.SetString(text.data(), static_cast<rapidjson::SizeType>(text.size()), out.GetAllocator());
    return out;
}

Result<json::Document> checked(std::string_view text, Mode mode, const OutputSchema* schema) {
    if (mode == Mode::Text) return asString(text);
    auto value = extract(text);
    if (!value) return value;
    if (mode == Mode::CommitReport) return checkedCommitReport(*value);
    if (!schema) return value;
    if (auto ok = schema->validate(*value); !ok) return ok.error();
    return value;
}

}  // namespace

Result<Processed> process(std::string_view text, Mode mode, const OutputSchema* schema, std::string_view) {
    auto value = checked(text, mode, schema);
    if (!value) return Error{value.error().error_class, "Validation failed: " + value.error().message};
    Processed out;
    out.value = json::dump(*value);
    return out;
}

}  // namespace stepper::output
