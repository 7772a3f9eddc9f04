#include <cstdio>

#include "core/app/client.h"
#include "core/app/verbs.h"

namespace stepper::app {
namespace {

constexpr int kBadConfig = 422;

void printAll(const json::Value& report, std::string_view key, const char* label) {
    const auto* items = json::find(report, key);
    if (!items || !items->IsArray()) return;
    for (const auto& item : items->GetArray())
        if (item.IsString()) std::printf("%s%s\n", label, item.GetString());
}

}  // namespace

int reload(const Options& options) {
    auto client = Client::make(options);
    if (!client) return complain(client.error().message, kExitConfig);
    const auto answer = client->call("POST", "/admin/reload");
    if (!answer) return complain(answer.error().message);
    if (answer->status == kBadConfig) return complain(problemOf(*answer), kExitConfig);
    if (answer->status >= 300) return complain(problemOf(*answer));
    if (options.json) return std::printf("%s\n", answer->text.c_str()), kExitOk;
    std::printf("%s\n", std::string(json::string(answer->body, "status").value_or("")).c_str());
    printAll(answer->body, "changes", "");
    printAll(answer->body, "waitForRestart", "waits for a restart: ");
    return kExitOk;
}

}  // namespace stepper::app
