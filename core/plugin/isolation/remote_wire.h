// What the host and a plugin's own process say to each other: frames of a head and a payload, numbers in
// native byte order, since both ends are one program on one machine.
//
// Pure functions. A decoder reads nothing outside its bytes, whatever they say, and returns false for
// anything an encoder would not have written; views it fills in point into the payload. A view that lies
// about its length arrives as one that still does ({NULL, huge}), so that the host refuses it with the words
// it has for that.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sdk/include/stepper/plugin_abi.h"

namespace stepper::plugin::wire {

inline constexpr size_t kHeadBytes = 8;
inline constexpr size_t kMaxPayload = 80u << 20;
// The child's end of the socket, as its descriptor.
inline constexpr int kChildSocket = 3;

enum class Kind : uint32_t {
    // To the child. Create comes first and once; End has no answer.
    Create = 1,
    Begin,
    Step,
    End,
    // From the child. Log may come at any time, the others answer.
    Log,
    Status,    // to Create and Begin
    Answer,    // to Step
    Threw,     // to Create, Begin and Step; no payload
    TooLarge,  // to Step, what it emitted does not fit; no payload
};

struct Head {
    uint32_t bytes;  // of the payload
    Kind kind;
};
// None: an unknown kind, or longer than kMaxPayload.
std::optional<Head> decodeHead(std::string_view bytes);

struct Create {
    uint32_t step_timeout_ms;
    uint64_t memory_bytes;  // 0: no limit
    std::string_view config;
};
struct Begin {
    uint64_t session;
    int32_t job;
    std::string_view request;
};
struct Step {
    uint64_t session;
    stepper_event event;  // without a sink
};
struct Status {
    int32_t status;
    std::string_view text;
};
struct Log {
    int32_t level;
    std::string_view text;
};

// Each replaces `frame` with one whole frame. False: longer than kMaxPayload, `frame` is of no use.
bool encode(const Create& message, std::string& frame);
bool encode(const Begin& message, std::string& frame);
bool encode(const Step& message, std::string& frame);
bool encode(const Status& message, std::string& frame);
bool encode(const Log& message, std::string& frame);
void encodeEnd(uint64_t session, std::string& frame);
void encodeBare(Kind kind, std::string& frame);

bool decode(std::string_view payload, Create& message);
bool decode(std::string_view payload, Begin& message);
// `headers` keeps the array the event points to.
bool decode(std::string_view payload, Step& message, std::vector<stepper_kv>& headers);
bool decode(std::string_view payload, Status& message);
bool decode(std::string_view payload, Log& message);
bool decodeEnd(std::string_view payload, uint64_t& session);

// Gathers a step's emits and its action in one frame.
class AnswerWriter {
public:
    // Replaces `frame`, which must live until finish().
    explicit AnswerWriter(std::string& frame);
    // What there is no memory for is too large.
    void emit(int32_t out_kind, stepper_str payload) noexcept;
    // The frame is complete: an Answer, or TooLarge.
    void finish(const stepper_action& action);

private:
    std::string& frame_;
    bool too_large_ = false;
};

// Hands every emit to the event's sink, in order, then fills `action`. `headers` keeps the array the action's
// request points to. False may come after some emits.
bool decodeAnswer(std::string_view payload, const stepper_event& event, std::vector<stepper_kv>& headers,
                  stepper_action& action);

}  // namespace stepper::plugin::wire
