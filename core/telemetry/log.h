// The process log: one line an event, JSON or text, on standard error. Safe from any thread; never blocks on
// a stopped reader for long and never throws.
#pragma once
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace stepper::log {

enum class Level { Trace, Debug, Info, Warn, Error, Off };

// A field of an event. Numbers are written as JSON numbers.
class Field {
public:
    Field(std::string_view key, std::string_view value) : key_(key), text_(value) {}
    Field(std::string_view key, const char* value) : key_(key), text_(value) {}
    Field(std::string_view key, const std::string& value) : key_(key), text_(value) {}
    Field(std::string_view key, long long value) : key_(key), number_(value), is_number_(true) {}
    Field(std::string_view key, long value) : Field(key, static_cast<long long>(value)) {}
    Field(std::string_view key, int value) : Field(key, static_cast<long long>(value)) {}
    Field(std::string_view key, unsigned long value) : Field(key, static_cast<long long>(value)) {}

    std::string_view key() const { return key_; }
    std::string_view text() const { return text_; }
    long long number() const { return number_; }
    bool isNumber() const { return is_number_; }

private:
    std::string_view key_, text_;
    long long number_ = 0;
    bool is_number_ = false;
};
using Fields = std::initializer_list<Field>;

// `level`: trace debug info warn error off; `format`: json | text. Call once; what is written before, on
// whatever thread, is lost.
void init(std::string_view level, std::string_view format);
// The level alone; at any time.
void setLevel(std::string_view level);
bool enabled(Level level);
void write(Level level, std::string_view event, Fields fields = {});

inline void trace(std::string_view event, Fields fields = {}) { write(Level::Trace, event, fields); }
inline void debug(std::string_view event, Fields fields = {}) { write(Level::Debug, event, fields); }
inline void info(std::string_view event, Fields fields = {}) { write(Level::Info, event, fields); }
inline void warn(std::string_view event, Fields fields = {}) { write(Level::Warn, event, fields); }
inline void error(std::string_view event, Fields fields = {}) { write(Level::Error, event, fields); }

}  // namespace stepper::log
