// A client that sees every byte, and a simulator to point it at. Every wait has a deadline. One thread each.
#pragma once
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/json.h"
#include "tools/provider-sim/server.h"

namespace stepper::sim {

struct Received {
    enum class End { Complete, Closed, Reset, Deadline };
    std::string bytes;
    End end = End::Deadline;

    int status() const;  // 0 without a head
    std::string head() const;
    std::vector<std::string> headers(std::string_view name) const;
    std::string header(std::string_view name) const;
    std::string rawBody() const;
    std::string body() const;  // without chunk framing
    json::Document json() const;
};

class RawClient {
public:
    // url: "http://127.0.0.1:PORT"
    explicit RawClient(const std::string& url);
    ~RawClient();
    RawClient(const RawClient&) = delete;
    RawClient& operator=(const RawClient&) = delete;

    void send(std::string_view bytes);
    // Until a complete response, the end of the connection, `max_bytes`, or the deadline.
    Received receive(milliseconds deadline = milliseconds{5000}, size_t max_bytes = SIZE_MAX);
    void close();

private:
    int socket_;
};

// "METHOD target" with a body and more header lines ("a: b\r\n").
std::string request(std::string_view method, std::string_view target, std::string_view body = {},
                    std::string_view headers = {});

// A simulator on a port of its own.
class Running {
public:
    explicit Running(const Clock& clock) : simulator(clock), server(simulator, "127.0.0.1", 0) {}

    Received call(std::string_view method, const std::string& target, std::string_view body = {},
                  std::string_view headers = {}, milliseconds deadline = milliseconds{5000}) const;
    void put(const std::string& instance, std::string_view behaviour) const;  // fails the test when refused
    Counters counters(const std::string& instance) { return simulator.instances().get(instance)->counters(); }
    // Polls until the counters satisfy, for five seconds at most.
    bool eventually(const std::string& instance, const std::function<bool(const Counters&)>& satisfied);

    Simulator simulator;
    Server server;
};

// One simulator per suite, forgetful between tests: stopping one takes Poco a quarter of a second.
class SimTest : public testing::Test {
protected:
    static void SetUpTestSuite() { running_ = std::make_unique<Running>(clock); }
    static void TearDownTestSuite() { running_.reset(); }
    void SetUp() override { EXPECT_EQ(sim.call("POST", "/_sim/reset").status(), 200); }

    static inline SystemClock clock;
    static inline std::unique_ptr<Running> running_;
    Running& sim = *running_;
};

json::Document parsed(std::string_view text);
// The JSON of every "data:" line, and the texts that are none ("[DONE]").
struct Events {
    std::vector<json::Document> data;
    std::vector<std::string> others, names;
};
Events eventsOf(const std::string& body);

}  // namespace stepper::sim
