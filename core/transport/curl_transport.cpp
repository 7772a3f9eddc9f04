#include "core/transport/curl_transport.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <new>
#include <system_error>

#include <curl/curl.h>

#include "core/base/text.h"
#include "core/transport/curl_error.h"
#include "core/transport/curl_exchange.h"
#include "core/transport/slot_pool.h"
#include "core/transport/way.h"

namespace stepper::transport {
namespace {

Error invalid(std::string why) {
    return {ErrorClass::InvalidRequest, "the request cannot be sent: " + std::move(why)};
}

std::string part(CURLU* url, CURLUPart which) {
    char* text = nullptr;
    if (curl_url_get(url, which, &text, CURLU_DEFAULT_PORT) != CURLUE_OK) return {};
    std::string out = lower(text);
    curl_free(text);
    return out;
}

// The messages show nothing of the URL: a key may stand in it.
Result<Target> targetOf(const std::string& url, const std::optional<std::string>& proxy,
                        std::string_view no_proxy) {
    if (url.find('\0') != std::string::npos) return invalid("its URL holds a NUL");
    const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> parsed(curl_url(), curl_url_cleanup);
    const CURLUcode code = curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0);
    if (code != CURLUE_OK) return invalid(std::string("its URL is not valid: ") + curl_url_strerror(code));
    const std::string scheme = part(parsed.get(), CURLUPART_SCHEME);
    if (scheme != "http" && scheme != "https")
        return invalid("the scheme of its URL is neither http nor https");
    const std::string host = part(parsed.get(), CURLUPART_HOST), port = part(parsed.get(), CURLUPART_PORT);
    uint16_t number = 0;
    std::from_chars(port.data(), port.data() + port.size(), number);
    const std::string peer = host + ":" + port;
    return Target{scheme + "://" + peer, peer, proxyFor(host, number, proxy, no_proxy)};
}

class HeaderList {
public:
    void add(const std::string& line) {
        curl_slist* grown = curl_slist_append(list_.get(), line.c_str());
        if (!grown) throw std::bad_alloc();
        static_cast<void>(list_.release());
        list_.reset(grown);
    }
    CurlList take() { return std::move(list_); }

private:
    CurlList list_;
};

Result<CurlList> headersOf(const HttpRequest& request) {
    HeaderList list;
    bool has_type = false;
    for (const auto& [name, value] : request.headers) {
        if (!isToken(name)) return invalid("a header name is not a token of RFC 9110");
        if (value.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos)
            return invalid("header " + name + " holds a line break or a NUL");
        // libcurl's syntax: "Name:" would remove the header, "Name;" sends it empty
        const std::string_view content = trim(value);
        list.add(std::string(name).append(content.empty() ? ";" : ": ").append(content));
        has_type = has_type || equalsIgnoreCase(name, "content-type");
    }
    list.add("Expect:");
    if (!has_type) list.add("Content-Type:");  // libcurl would call every body a form
    return list.take();
}

std::string variable(const char* name) {
    const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): never changed
    return value ? value : "";
}

std::string caFile(std::string configured) {
    // SSL_CERT_FILE and the system's own place are OpenSSL's defaults.
    return configured.empty() ? variable("CURL_CA_BUNDLE") : configured;
}

std::string noProxy(std::optional<std::string> given) {
    if (given) return *std::move(given);
    std::string lower_case = variable("no_proxy");
    return lower_case.empty() ? variable("NO_PROXY") : lower_case;
}

}  // namespace

CurlTransport::CurlTransport(CurlOptions options) : no_proxy_(noProxy(std::move(options.no_proxy))) {
    options.ca_file = caFile(std::move(options.ca_file));
    pool_ = std::make_unique<SlotPool>(std::move(options));
}

CurlTransport::~CurlTransport() = default;

Result<std::unique_ptr<Exchange>> CurlTransport::open(HttpRequest request, CancelToken& cancel) {
    auto target = targetOf(request.url, request.proxy, no_proxy_);
    if (!target) return target.error();
    const std::string peer = target->peer;
    if (!isToken(request.method)) return invalid("its method is not a token of RFC 9110");
    auto headers = headersOf(request);
    if (!headers) return headers.error();
    if (target->origin.starts_with("https:"))
        if (auto trusted = pool_->shared().authorities(); !trusted) return trusted.error();
    try {
        return std::unique_ptr<Exchange>(std::make_unique<CurlExchange>(
            *pool_, std::move(request), std::move(target).value(), std::move(headers).value(), cancel));
    } catch (const std::bad_alloc&) {
        return refusedHere(peer);
    } catch (const std::system_error& e) {
        return refusedHere(peer, e.what());
    }
}

void CurlTransport::closeExpired() { pool_->closeExpired(); }

}  // namespace stepper::transport
