// Result<T>: a value or an Error. Fallible functions return it; exceptions stay inside the file that calls a
// throwing library.
#pragma once
#include <cstdio>
#include <cstdlib>
#include <utility>
#include <variant>

#include "core/base/error.h"

namespace stepper {

// Always on; for our own bugs, never for input (plugins, network, files, users).
#define STEPPER_ASSERT(condition)                                                                  \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            std::fprintf(stderr, "%s:%d: assertion failed: %s\n", __FILE__, __LINE__, #condition); \
            std::abort();                                                                          \
        }                                                                                          \
    } while (false)

template <class T>
class [[nodiscard]] Result {
public:
    Result(T value) : v_(std::in_place_index<0>, std::move(value)) {}
    Result(Error error) : v_(std::in_place_index<1>, std::move(error)) {}

    bool ok() const { return v_.index() == 0; }
    explicit operator bool() const { return ok(); }

    T& value() & {
        STEPPER_ASSERT(ok());
        return *std::get_if<0>(&v_);
    }
    const T& value() const& {
        STEPPER_ASSERT(ok());
        return *std::get_if<0>(&v_);
    }
    T&& value() && {
        STEPPER_ASSERT(ok());
        return std::move(*std::get_if<0>(&v_));
    }
    T& operator*() & { return value(); }
    const T& operator*() const& { return value(); }
    T* operator->() { return &value(); }
    const T* operator->() const { return &value(); }

    Error& error() & {
        STEPPER_ASSERT(!ok());
        return *std::get_if<1>(&v_);
    }
    const Error& error() const& {
        STEPPER_ASSERT(!ok());
        return *std::get_if<1>(&v_);
    }
    Error&& error() && {
        STEPPER_ASSERT(!ok());
        return std::move(*std::get_if<1>(&v_));
    }

private:
    std::variant<T, Error> v_;
};

template <>
class [[nodiscard]] Result<void> {
public:
    Result() = default;
    Result(Error error) : error_(std::move(error)) {}

    bool ok() const { return !error_.has_value(); }
    explicit operator bool() const { return ok(); }
    const Error& error() const& {
        STEPPER_ASSERT(!ok());
        return *error_;
    }
    Error&& error() && {
        STEPPER_ASSERT(!ok());
        return std::move(*error_);
    }

private:
    std::optional<Error> error_;
};

}  // namespace stepper
