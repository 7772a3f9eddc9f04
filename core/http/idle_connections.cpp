#include "core/http/idle_connections.h"

#include <sys/socket.h>

namespace stepper::http {
namespace {

bool hasUnread(int fd) {
    char byte;
    return ::recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

}  // namespace

IdleConnections::Stay IdleConnections::enter(int fd) {
    std::lock_guard lock(mutex_);
    waiting_.emplace(next_, fd);
    return {*this, next_++};
}

IdleConnections::Stay::~Stay() {
    std::lock_guard lock(all_.mutex_);
    all_.waiting_.erase(turn_);
}

bool IdleConnections::dismissOne() {
    std::lock_guard lock(mutex_);
    for (auto it = waiting_.begin(); it != waiting_.end(); ++it) {
        if (hasUnread(it->second)) continue;
        ::shutdown(it->second, SHUT_RD);
        waiting_.erase(it);
        return true;
    }
    return false;
}

}  // namespace stepper::http
