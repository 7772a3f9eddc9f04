#include <cstdio>
#include <map>

#include "core/app/client.h"
#include "core/app/verbs.h"

namespace stepper::app {
namespace {

using Words = std::vector<std::string>;

int complain(const std::string& problem, int status = kExitFailure) {
    std::fprintf(stderr, "stepper jobs: %s\n", problem.c_str());
    return status;
}

// Null after having complained.
std::optional<Client::Answer> ask(Client& client, std::string_view method, const std::string& path) {
    auto answer = client.call(method, path);
    if (!answer) return complain(answer.error().message), std::nullopt;
    if (answer->status >= 300) return complain(problemOf(*answer)), std::nullopt;
    return std::move(answer).value();
}

std::string text(const json::Value& v, std::string_view key) {
    return std::string(json::string(v, key).value_or(""));
}

// "37%", or "12/100" of a batch.
std::string progressOf(const json::Value& job) {
    const auto* progress = json::find(job, "progress");
    if (!progress) return "";
    if (progress->IsInt()) return std::to_string(progress->GetInt()) + "%";
    return std::to_string(json::integer(*progress, "done").value_or(0)) + "/" +
           std::to_string(json::integer(*progress, "total").value_or(0));
}

int list(Client& client, const Words& words, bool as_json) {
    const auto answer =
        ask(client, "GET", "/v1/jobs?limit=1000" + (words.empty() ? "" : "&state=" + words[0]));
    if (!answer) return kExitFailure;
    if (as_json) return std::printf("%s\n", answer->text.c_str()), kExitOk;
    const auto* jobs = json::find(answer->body, "jobs");
    if (!jobs || !jobs->IsArray()) return complain("the server's answer holds no list of jobs");
    for (const auto& job : jobs->GetArray())
        std::printf("%-36s  %-9s  %-8s  %-15s  %s  %s\n", text(job, "id").c_str(),
                    text(job, "status").c_str(), progressOf(job).c_str(), text(job, "kind").c_str(),
                    text(job, "createdAt").c_str(), text(job, "tenantId").c_str());
    return kExitOk;
}

int show(Client& client, const Words& words, bool) {
    if (words.size() != 1) return complain("show takes one ID", kExitUsage);
    const auto answer = ask(client, "GET", "/v1/jobs/" + words[0]);
    if (!answer) return kExitFailure;
    std::printf("%s\n", json::dumpPretty(answer->body).c_str());
    return kExitOk;
}

// Says what became of each; the worst status wins.
int dropAll(Client& client, const Words& ids) {
    int status = kExitOk;
    for (const auto& id : ids) {
        const auto answer = ask(client, "DELETE", "/v1/jobs/" + id + "?force=true");
        if (!answer) {
            status = kExitFailure;
            continue;
        }
        std::printf("%s  %s\n", id.c_str(), text(answer->body, "status").c_str());
    }
    return status;
}

int cancel(Client& client, const Words& words, bool) {
    if (words.empty()) return complain("cancel takes at least one ID", kExitUsage);
    for (const auto& id : words) {
        const auto job = ask(client, "GET", "/v1/jobs/" + id);
        if (!job) return kExitFailure;
        const std::string status = text(job->body, "status");
        if (status != "queued" && status != "active")
            return complain("job " + id + " is " + status + " already; `stepper jobs purge " + id +
                            "` removes it");
    }
    return dropAll(client, words);
}

bool isFinal(const std::string& status) {
    return status == "completed" || status == "failed" || status == "cancelled";
}

int purge(Client& client, const Words& words, bool) {
    if (words.empty()) return complain("purge takes IDs, or one of completed, failed, cancelled", kExitUsage);
    if (!isFinal(words[0])) {
        for (const auto& id : words) {
            const auto job = ask(client, "GET", "/v1/jobs/" + id);
            if (!job) return kExitFailure;
            if (!isFinal(text(job->body, "status")))
                return complain("job " + id + " is not finished; `stepper jobs cancel " + id + "` ends it");
        }
        return dropAll(client, words);
    }
    // Each round removes what it listed, so the rounds end.
    for (;;) {
        const auto answer = ask(client, "GET", "/v1/jobs?limit=1000&state=" + words[0]);
        if (!answer) return kExitFailure;
        Words ids;
        if (const auto* jobs = json::find(answer->body, "jobs"); jobs && jobs->IsArray())
            for (const auto& job : jobs->GetArray()) ids.push_back(text(job, "id"));
        if (ids.empty()) return kExitOk;
        if (const int status = dropAll(client, ids); status != kExitOk) return status;
    }
}

int retry(Client& client, const Words& words, bool) {
    if (words.size() != 1) return complain("retry takes one ID", kExitUsage);
    const auto answer = ask(client, "POST", "/v1/jobs/" + words[0] + "/retry");
    if (!answer) return kExitFailure;
    std::printf("%s\n", text(answer->body, "jobId").c_str());
    return kExitOk;
}

}  // namespace

int jobsVerb(const Options& options) {
    const std::map<std::string, int (*)(Client&, const Words&, bool)> verbs = {
        {"list", list}, {"show", show}, {"cancel", cancel}, {"purge", purge}, {"retry", retry}};
    const auto verb = verbs.find(options.words.empty() ? "" : options.words.front());
    if (verb == verbs.end()) return complain("expected list, show, cancel, purge or retry", kExitUsage);
    auto client = Client::make(options);
    if (!client) return complain(client.error().message, kExitConfig);
    return verb->second(*client, {options.words.begin() + 1, options.words.end()}, options.json);
}

}  // namespace stepper::app
