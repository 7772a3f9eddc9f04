#include "core/transport/slot_pool.h"

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <new>
#include <system_error>

#include <openssl/ssl.h>

namespace stepper::transport {
namespace {

constexpr long kBufferBytes = 16 << 10;

void initialiseCurl() {
    static const CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
    STEPPER_ASSERT(code == CURLE_OK);
}

void lockShared(CURL*, curl_lock_data data, curl_lock_access, void* locks) {
    static_cast<std::mutex*>(locks)[data].lock();
}

void unlockShared(CURL*, curl_lock_data data, void* locks) { static_cast<std::mutex*>(locks)[data].unlock(); }

CURLcode trustShared(CURL*, void* ssl_context, void* shared) {
    try {
        const auto store = static_cast<Shared*>(shared)->authorities();
        if (!store) return CURLE_SSL_CACERT_BADFILE;
        SSL_CTX_set1_cert_store(static_cast<SSL_CTX*>(ssl_context), store.value());
        return CURLE_OK;
    } catch (const std::bad_alloc&) {
        return CURLE_FAILED_INIT;
    }
}

}  // namespace

Shared::Shared(std::string ca_file) : ca_file_(std::move(ca_file)) {
    initialiseCurl();
    names_ = curl_share_init();
    if (!names_) throw std::bad_alloc();
    curl_share_setopt(names_, CURLSHOPT_LOCKFUNC, lockShared);
    curl_share_setopt(names_, CURLSHOPT_UNLOCKFUNC, unlockShared);
    curl_share_setopt(names_, CURLSHOPT_USERDATA, locks_.data());
    curl_share_setopt(names_, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS);
}

Shared::~Shared() {
    curl_share_cleanup(names_);
    X509_STORE_free(store_);
}

Result<X509_STORE*> Shared::authorities() {
    std::lock_guard lock(store_mutex_);
    if (store_) return store_;
    std::unique_ptr<X509_STORE, decltype(&X509_STORE_free)> store(X509_STORE_new(), X509_STORE_free);
    if (!store) throw std::bad_alloc();
    const bool loaded = ca_file_.empty() ? X509_STORE_set_default_paths(store.get()) == 1
                                         : X509_STORE_load_file(store.get(), ca_file_.c_str()) == 1;
    if (!loaded)
        return Error{ErrorClass::Config, "no certificate authorities could be read from " + ca_file_ +
                                             "; name a PEM file in SSL_CERT_FILE"};
    // As libcurl does it: an intermediate authority in the file is trust enough.
    X509_STORE_set_flags(store.get(), X509_V_FLAG_PARTIAL_CHAIN);
    return store_ = store.release();
}

Slot::Slot(Shared& shared, milliseconds idle_for) : multi_(curl_multi_init()), easy_(curl_easy_init()) {
    if (!multi_ || !easy_) throw std::bad_alloc();
    // libcurl goes on without what wakes a transfer when there is no descriptor for it; we could not cancel.
    if (curl_multi_wakeup(multi()) != CURLM_OK)
        throw std::system_error(EMFILE, std::generic_category(), "no call can be made");
    curl_multi_setopt(multi(), CURLMOPT_MAXCONNECTS, 1L);

    const auto set = [this](CURLoption option, auto value) {
        const CURLcode code = curl_easy_setopt(easy(), option, value);
        if (code == CURLE_OUT_OF_MEMORY) throw std::bad_alloc();
        // A libcurl without one of these would run with other promises than ours.
        STEPPER_ASSERT(code == CURLE_OK);
    };
    set(CURLOPT_SHARE, shared.names());
    set(CURLOPT_ERRORBUFFER, problem_.data());
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_QUICK_EXIT, 1L);  // a name look-up under way would block the removal
    set(CURLOPT_BUFFERSIZE, kBufferBytes);
    set(CURLOPT_UPLOAD_BUFFERSIZE, kBufferBytes);
    set(CURLOPT_TCP_NODELAY, 1L);
    set(CURLOPT_MAXAGE_CONN, static_cast<long>(std::chrono::ceil<std::chrono::seconds>(idle_for).count()));
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    // One exchange per connection: HTTP/2 would add buffers and gain nothing.
    set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    set(CURLOPT_ACCEPT_ENCODING, "");
    set(CURLOPT_USERAGENT, "stepper/" STEPPER_VERSION);
    set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    set(CURLOPT_NOPROXY, "");  // that is decided in way.h

    set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    set(CURLOPT_SSL_VERIFYPEER, 1L);
    set(CURLOPT_SSL_VERIFYHOST, 2L);
    set(CURLOPT_CAINFO, static_cast<char*>(nullptr));
    set(CURLOPT_CAPATH, static_cast<char*>(nullptr));
    set(CURLOPT_CA_CACHE_TIMEOUT, 0L);
    set(CURLOPT_SSL_CTX_FUNCTION, trustShared);
    set(CURLOPT_SSL_CTX_DATA, static_cast<void*>(&shared));
}

Slot::~Slot() { curl_multi_remove_handle(multi(), easy()); }

SlotPool::SlotPool(CurlOptions options)
    : max_idle_(options.max_idle), idle_for_(options.idle_for), shared_(std::move(options.ca_file)) {}

std::unique_ptr<Slot> SlotPool::take(const std::string& origin) {
    if (auto slot = takeIdle(origin)) return slot;
    return std::make_unique<Slot>(shared_, idle_for_);
}

std::unique_ptr<Slot> SlotPool::takeIdle(const std::string& origin) {
    std::vector<Idle> expired;  // outlives the lock: closing connections takes time
    std::lock_guard lock(mutex_);
    expired = removeExpired(std::chrono::steady_clock::now());
    const auto found =
        std::find_if(idle_.rbegin(), idle_.rend(), [&](const Idle& i) { return i.origin == origin; });
    if (found == idle_.rend()) return nullptr;
    auto slot = std::move(found->slot);
    idle_.erase(std::next(found).base());
    return slot;
}

void SlotPool::give(const std::string& origin, std::unique_ptr<Slot> slot) {
    std::vector<Idle> expired;
    std::lock_guard lock(mutex_);
    const auto now = std::chrono::steady_clock::now();
    expired = removeExpired(now);
    if (idle_.size() < max_idle_) idle_.push_back({origin, now, std::move(slot)});
}

void SlotPool::closeExpired() {
    std::vector<Idle> expired;
    std::lock_guard lock(mutex_);
    expired = removeExpired(std::chrono::steady_clock::now());
}

std::vector<SlotPool::Idle> SlotPool::removeExpired(SteadyTime now) {
    const auto alive =
        std::find_if(idle_.begin(), idle_.end(), [&](const Idle& i) { return now - i.since < idle_for_; });
    std::vector<Idle> expired(std::move_iterator(idle_.begin()), std::move_iterator(alive));
    idle_.erase(idle_.begin(), alive);
    return expired;
}

}  // namespace stepper::transport
