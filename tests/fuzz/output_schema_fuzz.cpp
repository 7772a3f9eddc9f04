#include "core/output/schema.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace stepper;
    // Up to the first NUL the schema, behind it the value.
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    const size_t cut = input.find('\0');
    const auto schema_json = json::parse(input.substr(0, cut));
    if (!schema_json) return 0;
    const auto schema = output::OutputSchema::parse(*schema_json);
    if (!schema || cut == std::string_view::npos) return 0;
    if (const auto value = json::parse(input.substr(cut + 1))) (void)schema->validate(*value);
    return 0;
}
