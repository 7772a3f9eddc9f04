#include "core/base/cancel.h"

#include <algorithm>
#include <cerrno>
#include <system_error>

#include <sys/eventfd.h>
#include <sys/socket.h>

#include "core/base/result.h"

namespace stepper {
namespace {

constexpr milliseconds kBriefWait{100};
constexpr milliseconds kUntold{250};

}  // namespace

std::string_view name(CancelReason r) {
    switch (r) {
        case CancelReason::ClientGone: return "the client went away";
        case CancelReason::Requested: return "it was cancelled";
        case CancelReason::Draining: return "the server is shutting down";
        case CancelReason::None: break;
    }
    return "not cancelled";
}

void CancelSource::cancel() noexcept {
    std::lock_guard lock(mutex_);
    if (cancelled_.exchange(true)) return;
    for (Listener* l = first_; l; l = l->after_) l->sleeper_.wake();
}

CancelSource::Listener::Listener(CancelSource& source, Sleeper& sleeper) noexcept
    : source_(source), sleeper_(sleeper) {
    std::lock_guard lock(source_.mutex_);
    after_ = std::exchange(source_.first_, this);
    if (after_) after_->before_ = this;
}

CancelSource::Listener::~Listener() {
    std::lock_guard lock(source_.mutex_);
    (before_ ? before_->after_ : source_.first_) = after_;
    if (after_) after_->before_ = before_;
}

CancelDescriptor::CancelDescriptor(CancelSource& source)
    : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), listener_(source, *this) {
    if (!fd_) throw std::system_error(errno, std::generic_category(), "a cancellation cannot be watched");
    if (source.isCancelled()) wake();
}

void CancelDescriptor::wake() noexcept {
    const uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(fd_.get(), &one, sizeof one);  // full means already told
}

void CancelToken::watch(CancelSource& source) {
    const auto slot = std::find(sources_.begin(), sources_.end(), nullptr);
    STEPPER_ASSERT(slot != sources_.end());
    *slot = &source;
}

void CancelToken::watchClient(int socket, HangUps& hang_ups) {
    client_ = socket;
    hang_ups_ = &hang_ups;
}

CancelReason CancelToken::check() {
    if (seen_ != CancelReason::None) return seen_;
    for (const auto* source : sources_)
        if (source && source->isCancelled()) return seen_ = source->reason();
    if (client_ >= 0) {
        char byte;
        const auto n = ::recv(client_, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR))
            return seen_ = CancelReason::ClientGone;
        // What follows a pipelined request cannot be seen, and a client that ends with it still listens.
        if (n > 0) client_ = -1;
    }
    return CancelReason::None;
}

CancelReason CancelToken::sleepUntil(SteadyTime until) {
    Bell bell;
    Alert alert(*this, bell);
    for (;;) {
        if (const auto reason = check(); reason != CancelReason::None) return reason;
        if (std::chrono::steady_clock::now() >= until) return CancelReason::None;
        bell.sleepUntil(alert.lookBy(until));
    }
}

CancelToken::Alert::Alert(CancelToken& token, Sleeper& sleeper) noexcept : token_(token), sleeper_(sleeper) {
    for (size_t i = 0; i < sources_.size(); ++i)
        if (token.sources_[i]) sources_[i].emplace(*token.sources_[i], sleeper);
}

SteadyTime CancelToken::Alert::lookBy(SteadyTime until) noexcept {
    if (token_.client_ < 0 || (client_ && client_->isOn())) return until;
    const SteadyTime now = std::chrono::steady_clock::now();
    if (watch_from_ == SteadyTime::max()) watch_from_ = now + kBriefWait;
    if (now < watch_from_) return std::min(until, watch_from_);
    if (!client_) client_.emplace(*token_.hang_ups_, token_.client_, sleeper_);
    return client_->isOn() ? until : std::min(until, now + kUntold);
}

}  // namespace stepper
