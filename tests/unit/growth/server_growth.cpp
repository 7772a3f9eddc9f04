// What the server keeps or reads for many: requests' heads, tenants, keys.
#include <deque>

#include "core/api/usage_view.h"
#include "core/cache/sieve.h"
#include "core/config/yaml_tree.h"
#include "core/engine/usage.h"
#include "core/engine/waiting_line.h"
#include "core/http/chunked.h"
#include "core/http/client_address.h"
#include "core/http/head.h"
#include "core/http/target.h"
#include "core/jobs/waiters.h"
#include "core/store/memory/store.h"
#include "core/store/turns.h"
#include "tests/unit/growth/growth.h"

namespace stepper::growth {
namespace {

std::string number(size_t i) { return std::to_string(i); }

// A head in pieces of so many bytes; `end` makes it whole.
Work receiving(const std::string& head, size_t piece, const std::string& end) {
    return [bytes = head + end, piece] {
        http::HeadScanner scanner(1 << 20);
        for (size_t seen = 0; seen < bytes.size(); seen += piece) {
            const auto scan = scanner.look(std::string_view(bytes).substr(0, seen + piece));
            EXPECT_FALSE(std::holds_alternative<http::Reject>(scan));
        }
    };
}

const Rows kHeads = {
    {"BytesOfAHeadInTinyPieces", 64'000,
     [](size_t n) {
         return receiving("GET / HTTP/1.1\r\nHost: a\r\nc: " + std::string(n, 'd'), 2, "\r\n\r\n");
     }},
    {"EmptyLinesBeforeARequest", 16'000,
     [](size_t n) { return receiving(repeated("\r\n", n), 2, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"); }},
    {"BytesOfAHead", 64'000,
     [](size_t n) -> Work {
         return [head = "GET / HTTP/1.1\r\nHost: a\r\n" + repeated("a: b\r\n", 40) +
                        "c: " + std::string(n, 'd') + "\r\n\r\n"] {
             EXPECT_TRUE(std::holds_alternative<http::Head>(http::scanHead(head, 1 << 20)));
         };
     }},
    {"QueryParameters", 40'000,
     [](size_t n) -> Work {
         return [target = "/v1/usage?" + repeated("a=b&", n)] { EXPECT_TRUE(http::parseTarget(target)); };
     }},
    {"Segments", 40'000,
     [](size_t n) -> Work {
         return [target = repeated("/a", n)] { EXPECT_TRUE(http::parseTarget(target)); };
     }},
    {"ProxiesOnTheWay", 16'000,
     [](size_t n) -> Work {
         return [forwarded = repeated("10.0.0.1,", n),
                 ours = *TrustedProxies::parse({"loopback", "10.0.0.0/8"})] {
             EXPECT_EQ(http::clientAddress("127.0.0.1", forwarded, ours), "10.0.0.1");
         };
     }},
    {"TinyChunks", 80'000,
     [](size_t n) -> Work {
         return [body = repeated("1\r\na\r\n", n) + "0\r\n\r\n"] {
             http::ChunkDecoder decoder;
             std::string out, buffer;
             for (std::string_view rest = body; !rest.empty();) {
                 buffer += rest.substr(0, 5);
                 rest.remove_prefix(std::min<size_t>(5, rest.size()));
                 std::string_view left = buffer;
                 static_cast<void>(decoder.feed(left, out, 1 << 20));
                 buffer.erase(0, buffer.size() - left.size());
             }
         };
     }},
};
STEPPER_GROWTH_ROWS(RequestOf, kHeads);

Work recording(const std::vector<std::string>& tenants) {
    config::Provider provider;
    provider.name = "p";
    return [tenants, provider] {
        ManualClock clock;
        engine::Usage usage(clock);
        for (const auto& tenant : tenants) usage.record(tenant, provider, true, {});
        usage.complete(usage.today(), {});
        while (!usage.takeChanges(100).empty()) {
        }
    };
}

const Rows kTenants = {
    {"Tenants", 8'000,
     [](size_t n) {
         std::vector<std::string> tenants;
         for (size_t i = 0; i < n; ++i) tenants.push_back("t" + number(i));
         return recording(tenants);
     }},
    {"CollidingTenants", 8'000, [](size_t n) { return recording(collidingKeys(n)); }},
    {"ReportsOfOneTenant", 4'000,
     [](size_t n) -> Work {
         auto clock = std::make_shared<ManualClock>();
         auto usage = std::make_shared<engine::Usage>(*clock);
         config::Provider provider;
         provider.name = "p";
         for (size_t i = 0; i < n; ++i) usage->record("t" + number(i), provider, true, {});
         return [clock, usage, n] {
             for (size_t i = 0; i < n; ++i) static_cast<void>(usage->of(usage->today(), "t1", 1));
         };
     }},
    {"TenantsThatTakeTurns", 4'000,
     [](size_t n) -> Work {
         std::map<std::string, int64_t> waiting;
         for (size_t i = 0; i < n; ++i) waiting.emplace(number(100'000 + i), i);
         return [waiting, n] {
             store::Turns turns;
             const auto look = [&](const std::optional<std::string>& behind) {
                 const auto found = behind ? waiting.upper_bound(*behind) : waiting.begin();
                 return found == waiting.end()
                            ? std::nullopt
                            : std::optional(store::Turns::Waiting{found->first, found->second});
             };
             for (size_t i = 0; i < 2 * n; ++i) {
                 static_cast<void>(turns.next(0, look));
                 turns.charge(static_cast<int>(1 + i % 16));
             }
         };
     }},
};
STEPPER_GROWTH_ROWS(ServerOf, kTenants);

// Requests that come while nothing is free, of `tenants` tenants.
Row waiting(std::string dimension, size_t size, size_t tenants) {
    return {std::move(dimension), size, [tenants](size_t n) -> Work {
                return [tenants, n] {
                    ManualClock clock;
                    limits::GateOptions options;
                    options.concurrency = 1;
                    limits::Gate gate(clock, options, [] { return 0.5; });
                    EXPECT_TRUE(gate.tryEnter({}).pass);
                    const engine::Candidate candidate{&gate};
                    std::deque<engine::WaitingLine::Waiter> waiters;
                    std::deque<std::string> names;
                    engine::WaitingLine line;
                    for (size_t i = 0; i < n; ++i) {
                        names.push_back(number(i % tenants));
                        waiters.push_back(
                            {{&candidate, 1}, {}, names.back(), clock.now() + std::chrono::hours(1)});
                        line.join(waiters.back());
                        line.consider(waiters.back(), clock.now());
                    }
                    EXPECT_EQ(line.size(), static_cast<int>(n));
                };
            }};
}

const Rows kLines = {
    waiting("RequestsOfOneTenant", 8'000, 1),
    waiting("RequestsOfManyTenants", 8'000, 8'000),
    {"ClientsOfOneJob", 16'000,
     [](size_t n) -> Work {
         return [n] {
             jobs::Waiters waiters;
             std::deque<jobs::Waiters::Wait> waits;
             for (size_t i = 0; i < n; ++i) waits.emplace_back(waiters, "job");
             while (!waits.empty()) waits.pop_back();
         };
     }},
    {"ClientsOfCollidingJobs", 8'000,
     [](size_t n) -> Work {
         return [keys = collidingKeys(n)] {
             jobs::Waiters waiters;
             std::deque<jobs::Waiters::Wait> waits;
             for (const auto& key : keys) waits.emplace_back(waiters, key);
             for (const auto& key : keys) waiters.notify(key);
         };
     }},
};
STEPPER_GROWTH_ROWS(LineOf, kLines);

const Rows kKeys = {
    {"CollidingAnswers", 8'000,
     [](size_t n) -> Work {
         return [keys = collidingKeys(n)] {
             cache::Sieve<int> sieve(1 << 30);
             for (const auto& key : keys) sieve.put(key, 1, 1);
             for (const auto& key : keys) EXPECT_TRUE(sieve.get(key));
         };
     }},
    {"CollidingIdempotencyKeys", 8'000,
     [](size_t n) -> Work {
         return [keys = collidingKeys(n)] {
             ManualClock clock;
             store::MemoryStore memory(clock, {});
             for (size_t i = 0; i < keys.size(); ++i) {
                 store::NewJob job;
                 job.id = number(i);
                 job.cache_key = keys[i];
                 job.idempotency_key = keys[i];
                 EXPECT_TRUE(memory.enqueue(job));
             }
         };
     }},
    {"KeysOfAConfiguration", 8'000,
     [](size_t n) -> Work {
         std::string text;
         for (size_t i = 0; i < n; ++i) text += "k" + number(i) + ": 'v'\n";
         return [text] {
             config::Problems problems;
             EXPECT_TRUE(config::parseYaml(text, "f", problems));
         };
     }},
};
STEPPER_GROWTH_ROWS(StoreOf, kKeys);

}  // namespace
}  // namespace stepper::growth
