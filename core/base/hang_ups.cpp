#include "core/base/hang_ups.h"

#include <array>
#include <cerrno>
#include <new>
#include <system_error>

#include <sys/epoll.h>
#include <sys/eventfd.h>

namespace stepper {
namespace {

constexpr uint64_t kStop = 0;
constexpr int kMostAtOnce = 64;

bool add(const Descriptor& epoll, int fd, uint32_t events, uint64_t turn) {
    epoll_event wanted{};
    wanted.events = events;
    wanted.data.u64 = turn;
    return ::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, fd, &wanted) == 0;
}

}  // namespace

HangUps::HangUps() : epoll_(::epoll_create1(EPOLL_CLOEXEC)), stop_(::eventfd(0, EFD_CLOEXEC)) {
    if (!epoll_ || !stop_ || !add(epoll_, stop_.get(), EPOLLIN, kStop))
        throw std::system_error(errno, std::generic_category(), "clients' hang-ups cannot be watched");
    thread_ = std::thread([this] { loop(); });
}

HangUps::~HangUps() {
    const uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(stop_.get(), &one, sizeof one);
    thread_.join();
}

void HangUps::loop() {
    std::array<epoll_event, kMostAtOnce> happened;
    for (;;) {
        const int n = ::epoll_wait(epoll_.get(), happened.data(), kMostAtOnce, -1);
        std::lock_guard lock(mutex_);
        for (int i = 0; i < n; ++i) {
            const uint64_t turn = happened[static_cast<size_t>(i)].data.u64;
            if (turn == kStop) return;
            if (const auto it = sleepers_.find(turn); it != sleepers_.end()) it->second->wake();
        }
    }
}

HangUps::Watch::Watch(HangUps& all, int socket, Sleeper& sleeper) noexcept : all_(all), socket_(socket) {
    try {
        std::lock_guard lock(all_.mutex_);
        all_.sleepers_.emplace(all_.next_, &sleeper);
        turn_ = all_.next_++;
    } catch (const std::bad_alloc&) {
        return;
    }
    // Edge-triggered: what was told is for the sleeper to judge, and must not be told without end.
    on_ = add(all_.epoll_, socket_, EPOLLRDHUP | EPOLLET, turn_);
}

HangUps::Watch::~Watch() {
    if (on_) ::epoll_ctl(all_.epoll_.get(), EPOLL_CTL_DEL, socket_, nullptr);
    std::lock_guard lock(all_.mutex_);
    all_.sleepers_.erase(turn_);
}

}  // namespace stepper
