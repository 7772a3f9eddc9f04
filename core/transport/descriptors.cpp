#include "core/transport/descriptors.h"

#include <cerrno>
#include <string>
#include <system_error>

#include <sys/resource.h>

namespace stepper::transport {
namespace {

Error failed(const char* what) {
    return {ErrorClass::Config, std::string("the limit of open files could not be ") + what + ": " +
                                    std::generic_category().message(errno)};
}

}  // namespace

Result<uint64_t> raiseDescriptorLimit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return failed("read");
    if (limit.rlim_cur == limit.rlim_max) return uint64_t{limit.rlim_cur};
    limit.rlim_cur = limit.rlim_max;
    if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) return failed("raised");
    return uint64_t{limit.rlim_cur};
}

}  // namespace stepper::transport
