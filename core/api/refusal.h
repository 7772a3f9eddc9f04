// What is wrong with a request, as an Error: Unsupported where it is the contract's version, else
// InvalidRequest. Pure.
#pragma once
#include <optional>

#include "core/api/generate_request.h"

namespace stepper::api {

inline Error refusal(std::string sentence) { return {ErrorClass::InvalidRequest, std::move(sentence)}; }
Error refusal(const BadRequest& bad);

// As badRequest() of the same refusal.
http::Response badRequest(const Error& refusal, std::string_view request_id);

template <class T>
Result<T> orRefusal(std::variant<T, BadRequest> read) {
    if (const auto* bad = std::get_if<BadRequest>(&read)) return refusal(*bad);
    return std::get<T>(std::move(read));
}

// Takes what was read of one request after another; the first problem sticks.
class FirstProblem {
public:
    template <class T>
    T of(Result<T> read) {
        if (read) return std::move(read).value();
        if (!problem_) problem_ = std::move(read).error();
        return T{};
    }
    const std::optional<Error>& get() const { return problem_; }

private:
    std::optional<Error> problem_;
};

}  // namespace stepper::api
