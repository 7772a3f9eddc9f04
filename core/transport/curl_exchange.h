// One exchange on a libcurl slot. Internal to core/transport.
#pragma once
#include <atomic>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>

#include <curl/curl.h>

#include "core/transport/framer.h"
#include "core/transport/slot_pool.h"
#include "core/transport/transport.h"

namespace stepper::transport {

struct CurlListDeleter {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using CurlList = std::unique_ptr<curl_slist, CurlListDeleter>;

// Where a request goes: the pool's key and the name for messages, neither with credentials.
struct Target {
    std::string origin;                // "https://api.example:443"
    std::string peer;                  // "api.example:443"
    std::optional<std::string> proxy;  // as libcurl takes it: none means the environment's
};

class CurlExchange final : public Exchange, private Sleeper {
public:
    // `headers` is the request's, checked and in libcurl's syntax. Throws as a Slot does.
    CurlExchange(SlotPool& pool, HttpRequest request, Target target, CurlList headers, CancelToken& cancel);

    HttpEvent next() override;

private:
    // Waiting: the request is on its way, no byte of the response has come.
    enum class Phase { Connecting, Waiting, Receiving };

    void configure(CURL* easy);
    std::optional<HttpEvent> ready();
    void advance();
    void noteUpload();
    void tellSent();
    bool waitForActivity();  // true when the token may have been cancelled
    void wake() noexcept override;
    std::unique_ptr<Slot> leaveSlot();
    void finish(CURLcode code);
    // libcurl is C: nothing may be thrown through it.
    template <class Work>
    bool hasMemoryFor(Work work) noexcept {
        try {
            return work();
        } catch (const std::bad_alloc&) {
            out_of_memory_ = true;
            return false;
        }
    }
    void fail(Error error);

    SteadyTime giveUpAt() const;
    Error timeout() const;
    bool succeeded() const { return status_ >= 200 && status_ < 300; }

    // Called by libcurl. False ends the transfer, after which error_ or cut_off_ says why.
    bool onHeaderLine(std::string_view line);
    bool onBody(std::string_view bytes);
    void onConnected();
    void onHeadComplete();

    SlotPool& pool_;
    const HttpRequest request_;
    const Target target_;
    const CurlList request_headers_;
    CancelToken& cancel_;

    const SteadyTime opened_;
    const milliseconds connect_timeout_;  // the request's, or what the deadline leaves of it
    Phase phase_ = Phase::Connecting;
    SteadyTime progress_;  // when the phase began or last moved
    curl_off_t sent_ = 0;  // bytes of the request's body
    bool sent_told_ = false;

    bool in_head_ = false;  // between a status line and the blank line
    bool head_complete_ = false;
    bool head_given_ = false;
    size_t head_bytes_ = 0;
    int status_ = 0;
    Headers headers_;

    std::optional<Framer> framer_;  // from the complete head on
    uint64_t body_bytes_ = 0;       // decoded
    bool cut_off_ = false;          // enough of an error body was read

    bool complete_ = false;
    bool out_of_memory_ = false;  // in a callback
    std::optional<Error> error_;
    std::atomic<bool> woken_{false};
    // While the transfer runs; last, so that they go before what they use.
    std::unique_ptr<Slot> slot_;
    std::optional<CancelToken::Alert> alert_;
};

}  // namespace stepper::transport
