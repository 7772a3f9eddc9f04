// The pool of libcurl handles. Internal to core/transport.
#pragma once
#include <array>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <curl/curl.h>
#include <openssl/x509.h>

#include "core/base/result.h"
#include "core/transport/curl_transport.h"

namespace stepper::transport {

// What all slots of a pool have in common, safe from any thread: the cache of looked-up names, and the
// trusted authorities, which cost 15 ms and 0.8 MB per connection when each loads its own.
class Shared {
public:
    explicit Shared(std::string ca_file);
    ~Shared();
    Shared(const Shared&) = delete;
    Shared& operator=(const Shared&) = delete;

    CURLSH* names() const { return names_; }
    // Loaded by the first call. Config error when the file cannot be read.
    Result<X509_STORE*> authorities();

private:
    std::array<std::mutex, CURL_LOCK_DATA_LAST> locks_;
    CURLSH* names_;
    std::string ca_file_;
    std::mutex store_mutex_;
    X509_STORE* store_ = nullptr;
};

// One connection at most, used by one exchange at a time. Destroying it closes the connection at once, also
// in the middle of a transfer.
class Slot {
public:
    // Throws std::bad_alloc or std::system_error when memory or descriptors for it are refused.
    Slot(Shared& shared, milliseconds idle_for);
    ~Slot();
    Slot(const Slot&) = delete;
    Slot& operator=(const Slot&) = delete;

    CURLM* multi() const { return multi_.get(); }
    CURL* easy() const { return easy_.get(); }
    const char* problem() const { return problem_.data(); }  // libcurl's words for the last failure

private:
    struct Cleanup {
        void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
    };
    struct EasyCleanup {
        void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
    };
    std::unique_ptr<CURLM, Cleanup> multi_;
    std::unique_ptr<CURL, EasyCleanup> easy_;
    std::array<char, CURL_ERROR_SIZE> problem_{};
};

// Safe from any thread.
class SlotPool {
public:
    explicit SlotPool(CurlOptions options);

    // The slot used last for this origin, else a new one; throws as a Slot does.
    std::unique_ptr<Slot> take(const std::string& origin);
    // Back after a complete exchange.
    void give(const std::string& origin, std::unique_ptr<Slot> slot);
    void closeExpired();

    Shared& shared() { return shared_; }

private:
    struct Idle {
        std::string origin;
        SteadyTime since;
        std::unique_ptr<Slot> slot;
    };
    std::unique_ptr<Slot> takeIdle(const std::string& origin);
    std::vector<Idle> removeExpired(SteadyTime now);

    const size_t max_idle_;
    const milliseconds idle_for_;
    Shared shared_;
    std::mutex mutex_;
    std::vector<Idle> idle_;  // by time, the oldest first
};

}  // namespace stepper::transport
