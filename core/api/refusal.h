// What is wrong with a request, as an Error: Unsupported where it is the contract's version, else
// InvalidRequest. Pure.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/http/http.h"

namespace stepper::api {

inline Error refusal(std::string sentence) { return {ErrorClass::InvalidRequest, std::move(sentence)}; }

// 400 {"error","errorCode","requestId"}, as all errors of these routes.
http::Response badRequest(const Error& refusal, std::string_view request_id);
inline http::Response badRequest(std::string_view sentence, std::string_view request_id) {
    return badRequest(refusal(std::string(sentence)), request_id);
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
