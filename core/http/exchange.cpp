#include "core/http/exchange.h"

#include <algorithm>
#include <array>
#include <new>

#include <Poco/Exception.h>

#include "core/base/id.h"
#include "core/base/text.h"
#include "core/http/body_stream.h"
#include "core/http/client_address.h"
#include "core/http/media_type.h"
#include "core/http/target.h"
#include "core/http/turn_away.h"
#include "core/http/writer.h"

namespace stepper::http {
namespace {

std::string_view codeOf(int status) {
    switch (status) {
        case 404: return "NOT_FOUND";
        case 405: return "METHOD_NOT_ALLOWED";
        case 408: return "TIMEOUT";
        case 413: return "PAYLOAD_TOO_LARGE";
        case 414: return "URI_TOO_LONG";
        case 415: return "UNSUPPORTED_MEDIA_TYPE";
        case 431: return "HEADERS_TOO_LARGE";
        case 500: return "UNKNOWN";
        default: return "BAD_REQUEST";
    }
}

bool isUsableId(std::string_view id) {
    constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    return !id.empty() && id.size() <= 128 && id.find_first_not_of(allowed) == std::string_view::npos;
}

class Answering {
public:
    // `has_begun` says later whether some of an answer was sent.
    Answering(Front& front, GuardedSocket& socket, bool& has_begun)
        : front_(front),
          socket_(socket),
          has_begun_(has_begun),
          head_(std::get_if<Head>(&socket.current())),
          held_(*front.bodies) {
        request_.received = std::chrono::steady_clock::now();
        cancel_.watch(front.ending.expired);
        cancel_.watchClient(socket.wire().fd(), front.hang_ups);
        request_.cancel = &cancel_;
    }

    bool run() {
        identify();
        const Response response = withinBudget(answerOrExcuse());
        const Framing framing = framingOf(response, head_ && head_->http10);
        const bool keep = framing != Framing::UntilClose && mayContinue();
        const bool written = write(response, framing, keep);
        if (written && response.delivered && request_.method != "HEAD") attempt(response.delivered);
        tell(response);
        if (!written) return false;
        if (keep) return socket_.reader().skipBody();
        if (refused_ || socket_.reader().hasUnread()) socket_.wire().linger();
        return false;
    }

private:
    void identify() {
        if (head_) {
            request_.method = head_->method;
            request_.headers = head_->headers;
        }
        const auto offered = request_.header("x-request-id");
        request_.id = isUsableId(offered) ? std::string(offered) : newId();
        request_.caller.address =
            clientAddress(socket_.peerAddress().host().toString(), request_.header("x-forwarded-for"),
                          front_.options.trusted_proxies);
        request_.server_ip = socket_.address().host().toString();
    }

    Response answerOrExcuse() {
        Response out;
        switch (attempt([&] { out = answer(); })) {
            case Did::Its: break;
            case Did::Throw: out = excuse({500, "Internal server error"}); break;
            case Did::RunOutOfMemory: out = outOfMemory(); break;
        }
        return out;
    }

    // What can be asked for again is not held when there is no room for it; what was paid for always is.
    Response withinBudget(Response response) {
        const uint64_t size = response.body.size();
        if (held_.grow(size)) return response;
        if (response.repeatable || request_.method == "GET" || request_.method == "HEAD")
            return excuse({503, "Too much is being sent to other clients; try again in a moment"});
        held_.take(size);
        return response;
    }

    // What it threw is logged.
    enum class Did { Its, Throw, RunOutOfMemory };
    Did attempt(const std::function<void()>& work) const {
        std::string problem;
        try {
            work();
            return Did::Its;
        } catch (const std::bad_alloc&) {
            front_.log("a request found no memory");
            return Did::RunOutOfMemory;
        } catch (const Poco::Exception& e) {
            problem = e.displayText();
        } catch (const std::exception& e) {
            problem = e.what();
        } catch (...) {
            problem = "an exception of unknown type";
        }
        front_.log("request " + request_.id + " to " + std::string(route_) + " failed: " + problem);
        return Did::Throw;
    }

    // What the request holds goes first: the answer to it takes some memory, too.
    Response outOfMemory() {
        std::string().swap(request_.body);  // assigning an empty one would keep the memory
        return refuse({503, "The server is short of memory; try again in a moment"});
    }

    Response answer() {
        if (!head_) return refuse(std::get<Reject>(socket_.current()));
        auto target = parseTarget(head_->target);
        if (!target) return excuse({400, "The request target holds a broken percent-escape"});
        auto match = front_.router.find(request_.method, target->segments);
        route_ = match.pattern;
        request_.path = std::move(target->path);
        request_.query = std::move(target->query);
        request_.params = std::move(match.params);

        if (front_.before) {
            auto passed = front_.before(request_, match.role, add_);
            if (auto* response = std::get_if<Response>(&passed)) return std::move(*response);
            request_.caller = std::get<Caller>(std::move(passed));
        }
        if (route_.empty()) return excuse({404, "There is nothing at this path"});
        if (!match.route) return withoutRoute(match.allow);
        if (match.route->body == Body::Json && head_->hasBody())
            if (auto response = readJson()) return std::move(*response);
        return match.route->handler(request_);
    }

    Response withoutRoute(const std::string& allow) const {
        Response out = request_.method == "OPTIONS"
                           ? Response{.status = 204}
                           : excuse({405, "This path does not take " + request_.method});
        out.headers.emplace_back("Allow", allow);
        return out;
    }

    std::optional<Response> readJson() {
        const auto encoding = request_.header("content-encoding");
        if (!encoding.empty() && !equalsIgnoreCase(encoding, "identity"))
            return excuse({415, "The request's body must not be compressed"});
        const auto content_type = request_.header("content-type");
        if (!content_type.empty() && !isJson(content_type))
            return excuse({415, "The request's body must be JSON: Content-Type: application/json, UTF-8"});
        if (auto reject = socket_.reader().readBody(request_.body, front_.options.max_body, held_))
            return refuse(*reject);
        // Clients of the inherited contract know an untyped body as an empty request.
        if (content_type.empty()) request_.body.clear();
        return std::nullopt;
    }

    Response excuse(const Reject& reject) const {
        if (reject.status == 503) return Response::unavailable("OVERLOADED", reject.message, request_.id);
        return Response::error(reject.status, codeOf(reject.status), reject.message, request_.id);
    }

    // As excuse(), and nothing more is read from this connection.
    Response refuse(const Reject& reject) {
        refused_ = true;
        return excuse(reject);
    }

    bool mayContinue() const {
        return !refused_ && head_->keep_alive && front_.options.keep_alive.count() > 0 && !front_.draining &&
               socket_.reader().canSkipBody();
    }

    bool write(const Response& response, Framing framing, bool keep) {
        const bool head_only = request_.method == "HEAD";
        const bool whole = framing == Framing::Length && !head_only;
        const milliseconds kept_for = keep ? front_.options.keep_alive : milliseconds{0};
        const auto head =
            headOf(response, {request_.id, add_, framing, kept_for, front_.options.security_headers});
        const std::array<std::string_view, 2> pieces{head, whole ? response.bytes() : std::string_view{}};
        bytes_out_ = pieces[0].size() + pieces[1].size();
        has_begun_ = true;
        if (socket_.wire().send(pieces, paceOf(front_.options)) != Io::Ok) return false;
        const bool streamed = framing == Framing::Chunked || framing == Framing::UntilClose;
        return head_only || !streamed || stream(response, framing);
    }

    bool stream(const Response& response, Framing framing) {
        BodyStream body(socket_.wire(), paceOf(front_.options), cancel_, framing == Framing::Chunked,
                        response.live);
        const bool whole = attempt([&] { response.stream(body); }) == Did::Its && body.finish();
        bytes_out_ += body.sent();
        if (!whole && framing == Framing::UntilClose) socket_.wire().resetOnClose();
        return whole;
    }

    void tell(const Response& response) const {
        const auto duration =
            std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - request_.received);
        front_.after({&request_, route_, response.status, duration, bytes_out_, response.story});
    }

    Front& front_;
    GuardedSocket& socket_;
    bool& has_begun_;
    const Head* head_;  // null when the head was refused
    Request request_;
    ByteBudget::Share held_;  // the request's body and the response's
    CancelToken cancel_;
    std::string_view route_;
    Headers add_;
    uint64_t bytes_out_ = 0;
    bool refused_ = false;
};

}  // namespace

bool serve(Front& front, GuardedSocket& socket) noexcept {
    ++front.in_flight;
    bool keep = false, has_begun = false;
    try {
        keep = Answering(front, socket, has_begun).run();
    } catch (const std::bad_alloc&) {
        front.log("a request found no memory");
        if (!has_begun) socket.sayNoMemory();
    } catch (...) {
        front.log("a request's connection was closed: writing or reporting its response failed");
    }
    --front.in_flight;
    return keep;
}

}  // namespace stepper::http
