#include "core/transport/curl_exchange.h"

#include <algorithm>

#include "core/base/text.h"
#include "core/base/units.h"
#include "core/transport/curl_error.h"

namespace stepper::transport {
namespace {

constexpr size_t kMaxHeadBytes = 256u << 10;
constexpr milliseconds kLongestPoll{60'000};

SteadyTime steadyNow() { return std::chrono::steady_clock::now(); }

milliseconds millisecondsUntil(SteadyTime until, SteadyTime from) {
    return std::chrono::ceil<milliseconds>(until - from);
}

bool has(const Headers& headers, std::string_view name) {
    return std::any_of(headers.begin(), headers.end(), [&](const auto& h) { return h.first == name; });
}

HttpEvent event(HttpEvent::Kind kind) {
    HttpEvent e;
    e.kind = kind;
    return e;
}

}  // namespace

CurlExchange::CurlExchange(SlotPool& pool, HttpRequest request, Target target, CurlList headers,
                           CancelToken& cancel)
    : pool_(pool),
      request_(std::move(request)),
      target_(std::move(target)),
      request_headers_(std::move(headers)),
      cancel_(cancel),
      opened_(steadyNow()),
      connect_timeout_(std::max(milliseconds{1}, std::min(request_.connect_timeout,
                                                          millisecondsUntil(request_.deadline, opened_)))),
      progress_(opened_),
      slot_(pool.take(target_.origin)) {
    configure(slot_->easy());
    if (curl_multi_add_handle(slot_->multi(), slot_->easy()) != CURLM_OK) throw std::bad_alloc();
    alert_.emplace(cancel_, static_cast<Sleeper&>(*this));
}

// Everything that differs between exchanges is set each time, so a used handle needs no reset.
void CurlExchange::configure(CURL* easy) {
    if (curl_easy_setopt(easy, CURLOPT_URL, request_.url.c_str()) != CURLE_OK) throw std::bad_alloc();
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, request_headers_.get());
    if (curl_easy_setopt(easy, CURLOPT_PROXY, target_.proxy ? target_.proxy->c_str() : nullptr) != CURLE_OK)
        throw std::bad_alloc();
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(connect_timeout_.count()));

    const std::string& method = request_.method;
    const bool is_post = method == "POST";
    curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
    if (method == "HEAD") curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    if (is_post || !request_.body.empty()) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request_.body.data());
    }
    if (curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, is_post ? nullptr : method.c_str()) != CURLE_OK)
        throw std::bad_alloc();

    curl_easy_setopt(easy, CURLOPT_HEADERDATA, this);
    curl_easy_setopt(
        easy, CURLOPT_HEADERFUNCTION, +[](char* data, size_t, size_t size, void* self) -> size_t {
            auto& exchange = *static_cast<CurlExchange*>(self);
            return exchange.hasMemoryFor([&] { return exchange.onHeaderLine({data, size}); }) ? size : 0;
        });
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
    curl_easy_setopt(
        easy, CURLOPT_WRITEFUNCTION, +[](char* data, size_t, size_t size, void* self) -> size_t {
            auto& exchange = *static_cast<CurlExchange*>(self);
            return exchange.hasMemoryFor([&] { return exchange.onBody({data, size}); }) ? size : 0;
        });
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, this);
    curl_easy_setopt(
        easy, CURLOPT_PREREQFUNCTION, +[](void* self, char*, char*, int, int) {
            static_cast<CurlExchange*>(self)->onConnected();
            return CURL_PREREQFUNC_OK;
        });
}

HttpEvent CurlExchange::next() {
    if (auto e = ready()) return *std::move(e);
    for (bool look = true;; look = waitForActivity()) {
        if (look && cancel_.check() != CancelReason::None)
            fail({ErrorClass::Cancelled,
                  "the call to " + target_.peer + " was cut: " + std::string(name(cancel_.check()))});
        else if (steadyNow() >= request_.deadline)
            fail(timeout());
        else
            advance();
        if (auto e = ready()) return *std::move(e);

        // Only now, when all that had arrived is read: a slow reader must not look like a slow server.
        if (steadyNow() < giveUpAt()) continue;
        fail(timeout());
        return *ready();
    }
}

// What there is to hand out without touching the network. After fail() there always is something.
std::optional<HttpEvent> CurlExchange::ready() {
    if (head_complete_ && !head_given_) {
        head_given_ = true;
        HttpEvent head = event(HttpEvent::Kind::Head);
        head.status = status_;
        head.headers = &headers_;
        return head;
    }
    if (framer_) {
        const auto frame = framer_->next();
        if (!frame) {
            fail({frame.error().error_class,
                  "the response of " + target_.peer + ": " + frame.error().message});
            framer_.reset();
        } else if (*frame) {
            HttpEvent data = event(HttpEvent::Kind::Data);
            data.data = (*frame)->data;
            data.name = (*frame)->name;
            return data;
        }
    }
    if (error_) {
        HttpEvent failed = event(HttpEvent::Kind::Failed);
        failed.error = *error_;
        return failed;
    }
    if (complete_) return event(HttpEvent::Kind::End);
    return std::nullopt;
}

void CurlExchange::advance() {
    int running = 0;
    const CURLMcode code = curl_multi_perform(slot_->multi(), &running);
    if (code == CURLM_OK && running > 0) return noteUpload();
    int left = 0;
    const CURLMsg* message = curl_multi_info_read(slot_->multi(), &left);
    finish(message ? message->data.result : CURLE_FAILED_INIT);
}

// The wait for the first byte counts from the last byte of the request, however slow the way out is.
void CurlExchange::noteUpload() {
    if (phase_ != Phase::Waiting) return;
    curl_off_t sent = 0;
    curl_easy_getinfo(slot_->easy(), CURLINFO_SIZE_UPLOAD_T, &sent);
    if (sent != sent_) {
        sent_ = sent;
        progress_ = steadyNow();
    }
    if (static_cast<uint64_t>(sent_) == request_.body.size()) tellSent();
}

void CurlExchange::tellSent() {
    if (std::exchange(sent_told_, true) || !request_.on_sent) return;
    request_.on_sent();
}

bool CurlExchange::waitForActivity() {
    const SteadyTime look_by = alert_->lookBy(giveUpAt()), now = steadyNow();
    const auto left = std::clamp(millisecondsUntil(look_by, now), milliseconds{0}, kLongestPoll);
    int active = 0;
    curl_multi_poll(slot_->multi(), nullptr, 0, static_cast<int>(left.count()), &active);
    // Bytes that reach no callback (half a chunk header, compressed data) are progress too.
    if (active > 0 && phase_ == Phase::Receiving) progress_ = steadyNow();
    return woken_.exchange(false) || steadyNow() >= look_by;
}

void CurlExchange::wake() noexcept {
    woken_ = true;
    curl_multi_wakeup(slot_->multi());
}

// Nobody wakes it from here on.
std::unique_ptr<Slot> CurlExchange::leaveSlot() {
    alert_.reset();
    return std::move(slot_);
}

void CurlExchange::finish(CURLcode code) {
    if (out_of_memory_) return fail(refusedHere(target_.peer));
    if (code == CURLE_OK && !head_complete_) code = CURLE_GOT_NOTHING;  // interim responses only
    // Of an answer under way it means that a header is longer than libcurl allows.
    if (code == CURLE_OUT_OF_MEMORY && phase_ != Phase::Receiving) code = CURLE_FAILED_INIT;
    if (error_) return static_cast<void>(leaveSlot());
    if (code == CURLE_OK || cut_off_) {
        complete_ = true;
        framer_->finish();
        curl_multi_remove_handle(slot_->multi(), slot_->easy());
        auto slot = leaveSlot();
        if (!cut_off_) pool_.give(target_.origin, std::move(slot));
        return;
    }
    if (code == CURLE_OPERATION_TIMEDOUT) return fail(timeout());
    long os_error = 0, proxy_status = 0;
    curl_easy_getinfo(slot_->easy(), CURLINFO_OS_ERRNO, &os_error);
    curl_easy_getinfo(slot_->easy(), CURLINFO_HTTP_CONNECTCODE, &proxy_status);
    const bool detour = target_.proxy && !target_.proxy->empty();
    fail(errorOf({code, static_cast<int>(os_error), slot_->problem(), head_complete_, body_bytes_,
                  static_cast<int>(proxy_status)},
                 target_.peer + (detour ? " through its proxy" : "")));
}

void CurlExchange::fail(Error error) {
    if (phase_ != Phase::Connecting) tellSent();
    error_ = std::move(error);
    leaveSlot();
}

SteadyTime CurlExchange::giveUpAt() const {
    switch (phase_) {
        case Phase::Connecting: break;  // libcurl keeps the connect timeout: it shares it between addresses
        case Phase::Waiting: return std::min(request_.deadline, progress_ + request_.first_byte_timeout);
        case Phase::Receiving: return std::min(request_.deadline, progress_ + request_.idle_timeout);
    }
    return request_.deadline;
}

Error CurlExchange::timeout() const {
    const std::string& peer = target_.peer;
    if (phase_ == Phase::Connecting)
        return {ErrorClass::Timeout,
                "no connection to " + peer + " within " + formatDuration(connect_timeout_)};
    if (steadyNow() >= request_.deadline)
        return {ErrorClass::Timeout, "no complete answer from " + peer + " within " +
                                         formatDuration(millisecondsUntil(request_.deadline, opened_))};
    if (phase_ == Phase::Waiting)
        return {ErrorClass::Timeout,
                "no first byte from " + peer + " within " + formatDuration(request_.first_byte_timeout)};
    return {ErrorClass::Timeout, peer + " sent nothing for " + formatDuration(request_.idle_timeout)};
}

void CurlExchange::onConnected() {
    phase_ = Phase::Waiting;
    progress_ = steadyNow();
}

bool CurlExchange::onHeaderLine(std::string_view line) {
    tellSent();
    phase_ = Phase::Receiving;
    progress_ = steadyNow();
    head_bytes_ += line.size();
    if (head_bytes_ > kMaxHeadBytes) {
        error_ = Error{ErrorClass::BadResponse, target_.peer + " sent more than " +
                                                    std::to_string(kMaxHeadBytes) + " bytes of headers"};
        return false;
    }
    if (head_complete_) return true;  // a trailer
    if (!in_head_) {
        in_head_ = true;  // the status line
        return true;
    }
    const bool folded = line.front() == ' ' || line.front() == '\t';
    line = trim(line);
    const size_t colon = line.find(':');
    if (line.empty())
        onHeadComplete();
    else if (folded && !headers_.empty())
        headers_.back().second.append(" ").append(line);
    else if (colon != std::string_view::npos)
        headers_.emplace_back(lower(trim(line.substr(0, colon))), trim(line.substr(colon + 1)));
    return true;
}

void CurlExchange::onHeadComplete() {
    long status = 0;
    curl_easy_getinfo(slot_->easy(), CURLINFO_RESPONSE_CODE, &status);
    // An interim response; 101 is none for libcurl, and there is nothing we would switch to.
    if (status < 200 && status != 101) {
        in_head_ = false;
        headers_.clear();
        return;
    }
    status_ = static_cast<int>(status);
    head_complete_ = true;
    if (!has(headers_, "date")) headers_.emplace_back("date", httpDate(std::chrono::system_clock::now()));
    if (succeeded())
        framer_.emplace(request_.body_mode, request_.max_response_bytes);
    else
        framer_.emplace(BodyMode::Whole, kMaxErrorBodyBytes);
}

bool CurlExchange::onBody(std::string_view bytes) {
    if (!framer_) return false;  // a body without a head
    progress_ = steadyNow();
    const uint64_t room = (succeeded() ? request_.max_response_bytes : kMaxErrorBodyBytes) - body_bytes_;
    const std::string_view taken = bytes.substr(0, room);
    framer_->feed(taken);
    body_bytes_ += taken.size();
    if (taken.size() == bytes.size()) return true;

    cut_off_ = !succeeded();
    if (!cut_off_)
        error_ = Error{ErrorClass::BadResponse, "the response of " + target_.peer + " exceeds " +
                                                    std::to_string(request_.max_response_bytes) + " bytes"};
    return false;
}

}  // namespace stepper::transport
