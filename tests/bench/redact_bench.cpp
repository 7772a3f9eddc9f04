// What redaction costs per KB of prompt, beside a baseline of the same run: comparing every known prefix at
// every byte.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "core/secrets/redact.h"
#include "core/secrets/shapes.h"

namespace stepper::secrets {
namespace {

using std::chrono::steady_clock;

constexpr int kRounds = 31;
constexpr size_t kBytes = 256u << 10;

std::string repeated(std::string_view text) {
    std::string out;
    while (out.size() < kBytes) out += text;
    return out;
}

size_t everyPrefixAtEveryByte(std::string_view text) {
    size_t found = 0;
    for (size_t i = 0; i < text.size(); ++i)
        for (const Shape& shape : shapes()) found += text.substr(i).starts_with(shape.prefix);
    return found;
}

template <class F>
double medianUsPerKb(const std::string& text, F&& once) {
    std::vector<double> rounds;
    for (int r = 0; r < kRounds; ++r) {
        const auto began = steady_clock::now();
        once(text);
        const std::chrono::duration<double, std::micro> took = steady_clock::now() - began;
        rounds.push_back(took.count() / (static_cast<double>(text.size()) / 1024));
    }
    std::nth_element(rounds.begin(), rounds.begin() + kRounds / 2, rounds.end());
    return rounds[kRounds / 2];
}

volatile size_t sink;

void compare(const char* name, std::string_view unit) {
    const std::string text = repeated(unit);
    const double ours = medianUsPerKb(text, [](const std::string& t) { sink = redact(t).size(); });
    const double naive = medianUsPerKb(text, [](const std::string& t) { sink = everyPrefixAtEveryByte(t); });
    std::printf("%-8s redact %7.2f us/KB   every prefix at every byte %7.2f us/KB\n", name, ours, naive);
}

}  // namespace
}  // namespace stepper::secrets

int main() {
    using stepper::secrets::compare;
    std::printf("%zu formats\n", stepper::secrets::shapes().size());
    compare(
        "prose",
        "The release adds a queue: jobs wait for a free worker, in the order they came, and are told so. ");
    compare("diff",
            "diff --git a/src/user.ts b/src/user.ts\nindex 83db48f..bf2a5c1 100644\n@@ -10,6 +12,8 @@ export "
            "class User {\n"
            "+  private readonly key: string = config.get('user.key', { default: null });\n"
            "-    if (a === b && c) return this.lookup(id, name => name.length > 3);\n");
    compare("json",
            "{\"id\": 42, \"name\": \"widget\", \"tags\": [\"a\", \"b\"], \"token_count\": 1234, \"ok\": "
            "true},\n");
    compare("secrets",
            "DB_PASSWORD=hunter2Secret99\nurl: postgres://me:s3cr3tPw@db/x\nplain: text in between, of some "
            "length\n");
}
