#include "core/transport/framer.h"

#include <algorithm>

#include "core/base/json.h"
#include "core/base/text.h"

namespace stepper::transport {
namespace {

constexpr std::string_view kBom = "\xEF\xBB\xBF";

Error tooLarge(std::string_view what, size_t limit) {
    return {ErrorClass::BadResponse, std::string(what) + " exceeds " + std::to_string(limit) + " bytes"};
}

}  // namespace

void Framer::feed(std::string_view bytes) {
    buffer_.erase(0, begin_);
    scanned_ -= std::min(scanned_, begin_);
    begin_ = 0;
    buffer_.append(bytes);
}

Result<MaybeFrame> Framer::next() {
    switch (mode_) {
        case BodyMode::Whole: return nextWhole();
        case BodyMode::Raw: return nextRaw();
        case BodyMode::Lines: return nextLine();
        case BodyMode::Sse: return nextEvent();
    }
    return Error{ErrorClass::Internal, "unknown body mode " + std::to_string(static_cast<int>(mode_))};
}

Result<MaybeFrame> Framer::nextWhole() {
    if (rest().size() > max_frame_bytes_) return tooLarge("the body", max_frame_bytes_);
    if (!finished_ || given_) return MaybeFrame();
    given_ = true;
    return MaybeFrame({rest(), {}});
}

Result<MaybeFrame> Framer::nextRaw() {
    if (rest().empty()) return MaybeFrame();
    const MaybeFrame frame({rest(), {}});
    begin_ = buffer_.size();
    return frame;
}

Result<MaybeFrame> Framer::nextLine() {
    while (begin_ < buffer_.size()) {
        const size_t end = buffer_.find('\n', std::max(scanned_, begin_));
        const bool open = end == std::string::npos;
        std::string_view line = rest().substr(0, open ? std::string_view::npos : end - begin_);
        if (line.size() > max_frame_bytes_) return tooLarge("a line", max_frame_bytes_);
        if (open && !finished_) {
            scanned_ = buffer_.size();
            return MaybeFrame();
        }
        begin_ = open ? buffer_.size() : end + 1;
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (!line.empty()) return MaybeFrame({line, {}});
    }
    return MaybeFrame();
}

Result<MaybeFrame> Framer::nextEvent() {
    if (sse_body_ == SseBody::Unknown) recogniseSse();
    if (sse_body_ == SseBody::Document) return nextWhole();
    if (dispatched_) {
        dispatched_ = has_data_ = false;
        data_.clear();
        event_.clear();
    }
    if (sse_body_ == SseBody::Events) {
        while (const auto line = takeSseLine()) {
            if (data_.size() + line->size() > max_frame_bytes_) return tooLarge("an event", max_frame_bytes_);
            if (!line->empty()) {
                addSseField(*line);
            } else if (has_data_) {
                dispatched_ = true;
                return MaybeFrame({data_, event_});
            } else {
                event_.clear();
            }
        }
    }
    if (data_.size() + rest().size() > max_frame_bytes_) return tooLarge("an event", max_frame_bytes_);
    if (finished_) return lastEvent();
    return MaybeFrame();
}

// The first byte that is no white space tells; until it is there nothing is decided.
void Framer::recogniseSse() {
    const std::string_view body = rest();
    const bool has_bom = body.starts_with(kBom);
    if (!has_bom && !finished_ && kBom.starts_with(body)) return;
    const size_t seen = std::max(scanned_, begin_ + (has_bom ? kBom.size() : 0));
    const size_t first = buffer_.find_first_not_of(" \t\r\n", seen);
    scanned_ = first == std::string::npos ? buffer_.size() : 0;
    if (first == std::string::npos) return;
    const bool document = std::string_view("{[<").find(buffer_[first]) != std::string_view::npos;
    sse_body_ = document ? SseBody::Document : SseBody::Events;
    if (has_bom) begin_ += kBom.size();
}

// A line counts as soon as its CR is there: waiting for a possible LF would hold the event back.
std::optional<std::string_view> Framer::takeSseLine() {
    if (begin_ == buffer_.size()) return std::nullopt;
    if (after_cr_ && buffer_[begin_] == '\n') ++begin_;
    after_cr_ = false;

    // find_first_of() would call memchr() for every byte.
    const auto from = buffer_.begin() + static_cast<ptrdiff_t>(std::max(scanned_, begin_));
    const auto end = std::find_if(from, buffer_.end(), [](char c) { return c == '\n' || c == '\r'; });
    if (end != buffer_.end()) {
        const auto stop = static_cast<size_t>(end - buffer_.begin());
        const auto line = rest().substr(0, stop - begin_);
        after_cr_ = *end == '\r';
        begin_ = stop + 1;
        return line;
    }
    scanned_ = buffer_.size();
    if (!finished_ || begin_ == buffer_.size()) return std::nullopt;
    const auto line = rest();
    begin_ = buffer_.size();
    return line;
}

void Framer::addSseField(std::string_view line) {
    const size_t colon = line.find(':');
    const std::string_view field = line.substr(0, colon);  // empty for a comment
    std::string_view value = colon == std::string_view::npos ? std::string_view() : line.substr(colon + 1);
    if (value.starts_with(' ')) value.remove_prefix(1);

    const bool error = field == "error";
    if (field == "event") event_ = value;
    if (error) event_ = field;
    if (field == "data" || error) {
        if (has_data_) data_ += '\n';
        data_ += value;
        has_data_ = true;
    }
}

Result<MaybeFrame> Framer::lastEvent() {
    if (!has_data_ && event_.empty()) return MaybeFrame();
    const bool complete = trim(data_).starts_with("[DONE]") || json::parse(data_).ok();
    if (!complete) return Error{ErrorClass::BadResponse, "the stream ended inside an event"};
    dispatched_ = true;
    return MaybeFrame({data_, event_});
}

}  // namespace stepper::transport
