// Transport on libcurl. An exchange runs on a slot (one multi and one easy handle) taken from a pool, so that
// connections kept alive are used again; HTTP/1.1, no redirects.
#pragma once
#include <memory>
#include <optional>
#include <string>

#include "core/base/clock.h"
#include "core/transport/transport.h"

namespace stepper::transport {

struct CurlOptions {
    // PEM file of trusted authorities. Empty: what CURL_CA_BUNDLE names, else SSL_CERT_FILE, else the
    // system's.
    std::string ca_file;
    // What no_proxy or NO_PROXY of the environment holds, unless given.
    std::optional<std::string> no_proxy = {};
    size_t max_idle = 128;          // connections kept alive, over all hosts
    milliseconds idle_for{55'000};  // below the 60 s at which many servers close theirs
};

class SlotPool;

class CurlTransport final : public Transport {
public:
    explicit CurlTransport(CurlOptions options = {});
    ~CurlTransport() override;

    Result<std::unique_ptr<Exchange>> open(HttpRequest request, CancelToken& cancel) override;

    // Closes the connections that have been idle for too long. Every exchange does it too; a process without
    // traffic calls it now and then.
    void closeExpired();

private:
    std::string no_proxy_;
    std::unique_ptr<SlotPool> pool_;
};

}  // namespace stepper::transport
