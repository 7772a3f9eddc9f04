#include <algorithm>
#include <cstdio>
#include <utility>

#include "core/app/client.h"
#include "core/app/verbs.h"

namespace stepper::app {
namespace {

using Words = std::vector<std::string>;

// Null after having complained; `about` goes before what the server says.
std::optional<Client::Answer> ask(Client& client, std::string_view method, const std::string& path,
                                  const std::string& about = {}, std::string body = {}) {
    auto answer = client.call(method, path, std::move(body));
    if (!answer) return complain(answer.error().message), std::nullopt;
    if (answer->status >= 300) return complain(about + problemOf(*answer)), std::nullopt;
    return std::move(answer).value();
}

std::optional<Client::Answer> askOf(Client& client, std::string_view method, const std::string& id,
                                    std::string_view rest = {}) {
    return ask(client, method, "/v1/jobs/" + id + std::string(rest), "job " + id + ": ");
}

std::string text(const json::Value& v, std::string_view key) {
    return std::string(json::string(v, key).value_or(""));
}

template <class Use>
int withServer(const Options& options, const Use& use) {
    auto client = Client::make(options);
    return client ? use(*client) : complain(client.error().message, kExitConfig);
}

// "37%", or "12/100" of a batch.
std::string progressOf(const json::Value& job) {
    const auto* progress = json::find(job, "progress");
    if (!progress) return "";
    if (progress->IsInt()) return std::to_string(progress->GetInt()) + "%";
    return std::to_string(json::integer(*progress, "done").value_or(0)) + "/" +
           std::to_string(json::integer(*progress, "total").value_or(0));
}

void printLine(const json::Value& job) {
    std::printf("%-36s  %-9s  %-8s  %-15s  %s  %s\n", text(job, "id").c_str(), text(job, "status").c_str(),
                progressOf(job).c_str(), text(job, "kind").c_str(), text(job, "createdAt").c_str(),
                text(job, "tenantId").c_str());
}

// Page by page. As JSON they are one list.
int list(Client& client, const std::string& state, bool as_json) {
    const std::string path = "/v1/jobs?limit=1000" + (state.empty() ? "" : "&state=" + state);
    const char* separator = "{\"jobs\":[";
    for (std::string next;;) {
        const auto answer = ask(client, "GET", path + (next.empty() ? "" : "&before=" + next));
        if (!answer) return kExitFailure;
        const auto* jobs = json::find(answer->body, "jobs");
        if (!jobs || !jobs->IsArray()) return complain("the server's answer holds no list of jobs");
        if (as_json && next.empty()) std::printf("%s", std::exchange(separator, ""));
        for (const auto& job : jobs->GetArray())
            as_json ? void(std::printf("%s%s", std::exchange(separator, ","), json::dump(job).c_str()))
                    : printLine(job);
        next = text(answer->body, "next");
        if (!next.empty()) continue;
        if (as_json) std::printf("]}\n");
        return kExitOk;
    }
}

int show(Client& client, const std::string& id) {
    const auto answer = askOf(client, "GET", id);
    if (!answer) return kExitFailure;
    std::printf("%s\n", json::dumpPretty(answer->body).c_str());
    return kExitOk;
}

// Says what became of each; the worst status wins.
int dropAll(Client& client, const Words& ids) {
    int status = kExitOk;
    for (const auto& id : ids) {
        const auto answer = askOf(client, "DELETE", id, "?force=true");
        if (!answer) {
            status = kExitFailure;
            continue;
        }
        std::printf("%s  %s\n", id.c_str(), text(answer->body, "status").c_str());
    }
    return status;
}

int cancel(Client& client, const Words& ids) {
    for (const auto& id : ids) {
        const auto job = askOf(client, "GET", id);
        if (!job) return kExitFailure;
        const std::string status = text(job->body, "status");
        if (status != "queued" && status != "active")
            return complain("job " + id + " is " + status + " already; `stepper jobs purge " + id +
                            "` removes it");
    }
    return dropAll(client, ids);
}

bool isFinal(const std::string& status) {
    return status == "completed" || status == "fallback" || status == "failed" || status == "cancelled";
}

int purge(Client& client, const Words& words) {
    if (words.size() > 1 && std::any_of(words.begin(), words.end(), isFinal))
        return complain("purge takes IDs or one of completed, fallback, failed and cancelled, not both",
                        kExitUsage);
    if (!isFinal(words[0])) {
        for (const auto& id : words) {
            const auto job = askOf(client, "GET", id);
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

int retry(Client& client, const std::string& id) {
    const auto answer = askOf(client, "POST", id, "/retry");
    if (!answer) return kExitFailure;
    std::printf("%s\n", text(answer->body, "jobId").c_str());
    return kExitOk;
}

std::string retryBody(const Options& o, const std::string& until) {
    json::Document body(rapidjson::kObjectType);
    auto& a = body.GetAllocator();
    json::Value ids(rapidjson::kArrayType);
    for (const auto& id : o.ids) ids.PushBack(json::text(id, a), a);
    if (!o.ids.empty()) json::set(body, "ids", std::move(ids), a);
    for (const auto& [key, value] : {std::pair("state", &o.state), std::pair("since", &o.since),
                                     std::pair("until", &until), std::pair("tenantId", &o.tenant)})
        if (!value->empty()) json::set(body, key, *value, a);
    return json::dump(body);
}

// What was run again as what; what was not, and why, is complained of.
int printRetries(const json::Value& answer) {
    int status = kExitOk;
    const auto* jobs = json::find(answer, "jobs");
    if (!jobs || !jobs->IsArray()) return complain("the server's answer holds no list of jobs");
    for (const auto& job : jobs->GetArray()) {
        if (const auto error = json::string(job, "error"))
            status = complain("job " + text(job, "id") + ": " + std::string(*error));
        else
            std::printf("%s  %s\n", text(job, "id").c_str(), text(job, "jobId").c_str());
    }
    return status;
}

// Each round finds what the one before has left, and none what fails meanwhile. IDs are one round.
int retryMany(Client& client, const Options& o) {
    std::string until;
    for (int status = kExitOk;;) {
        const auto answer = ask(client, "POST", "/v1/jobs/retry", {}, retryBody(o, until));
        if (!answer) return kExitFailure;
        status = std::max(status, printRetries(answer->body));
        const auto* more = json::find(answer->body, "more");
        if (!more || !more->IsTrue()) return status;
        if (!o.ids.empty()) return complain("not all were run again within the time; say it again");
        until = text(answer->body, "until");
    }
}

}  // namespace

int jobsList(const Options& o) {
    return withServer(o, [&](Client& client) { return list(client, o.state, o.json); });
}
int jobsShow(const Options& o) {
    return withServer(o, [&](Client& client) { return show(client, o.ids.front()); });
}
int jobsRetry(const Options& o) {
    if (o.ids.empty() && o.state.empty())
        return complain("name the jobs, or say --failed, --fallback or --cancelled", kExitUsage);
    if (!o.ids.empty() && (!o.since.empty() || !o.tenant.empty()))
        return complain("--since and --tenant go with --failed, --fallback or --cancelled, not with IDs",
                        kExitUsage);
    return withServer(o, [&](Client& client) {
        return o.ids.size() == 1 ? retry(client, o.ids.front()) : retryMany(client, o);
    });
}
int jobsCancel(const Options& o) {
    return withServer(o, [&](Client& client) { return cancel(client, o.ids); });
}
int jobsPurge(const Options& o) {
    return withServer(o, [&](Client& client) { return purge(client, o.ids); });
}

}  // namespace stepper::app
