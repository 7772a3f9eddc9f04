#include <algorithm>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <vector>

#include "core/base/text.h"
#include "core/plugin/abi/instance.h"
#include "core/plugin/abi/views.h"
#include "core/plugin/isolation/belongings.h"

namespace stepper::plugin {
namespace {

// A buffer for the error texts of create and begin.
class ErrorText {
public:
    stepper_text_out* abi() { return &out_; }
    std::string take(std::string_view otherwise) const {
        const size_t n = std::min(out_.len, sizeof buffer_);
        return n == 0 ? std::string(otherwise) : toValidUtf8({buffer_, n});
    }

private:
    char buffer_[1'024] = {};
    stepper_text_out out_{buffer_, sizeof buffer_, 0};
};

Error threw(const std::string& kind, ErrorClass error_class) {
    return {error_class, "plugin " + kind + " threw an exception across the C boundary"};
}

// Around each of the first calls of a plugin that run here: what it does to the process is noticed and put
// right. While two plugins are watched at once nobody can tell which of them it was.
class Watch {
public:
    explicit Watch(const PluginImage& image) noexcept : conduct_(image.conduct()) {
        // Who has no errands is no host: a probe compares for itself.
        if (!image.errands() || !conduct_.isWatched()) return;
        try {
            begin();
        } catch (const std::bad_alloc&) {
            before_.reset();
        }
    }
    ~Watch() {
        if (!before_) return;
        const bool alone = leave();
        try {
            const std::string what = before_->putRight();
            if (!what.empty() && alone) conduct_.accuse(what);
            if (!what.empty() && !alone) conduct_.watchOnceMore();
        } catch (const std::bad_alloc&) {
            conduct_.watchOnceMore();
        }
    }
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

private:
    struct All {
        std::mutex mutex;
        std::vector<Watch*> running;
    };
    static All& all() {
        static auto* const all = new All;  // plugins run until the very end
        return *all;
    }

    void begin() {
        before_ = std::make_unique<const Belongings>();
        std::lock_guard lock(all().mutex);
        all().running.push_back(this);
        for (Watch* other : all().running)
            if (&other->conduct_ != &conduct_) alone_ = other->alone_ = false;
    }
    bool leave() {
        std::lock_guard lock(all().mutex);
        std::erase(all().running, this);
        return alone_;
    }

    Conduct& conduct_;
    std::unique_ptr<const Belongings> before_;
    bool alone_ = true;  // guarded by the mutex of all
};

// Around every call but a step, which is timed besides.
class ForeignCall {
public:
    explicit ForeignCall(const PluginImage& image) noexcept : watch_(image), conduct_(image.conduct()) {
        conduct_.callBegins();
    }
    ~ForeignCall() { conduct_.callEnds(); }
    ForeignCall(const ForeignCall&) = delete;
    ForeignCall& operator=(const ForeignCall&) = delete;

private:
    const Watch watch_;
    Conduct& conduct_;
};

class LocalSession final : public RawSession {
public:
    explicit LocalSession(const PluginImage& image) : image_(image) {}
    void adopt(stepper_session* handle) { handle_ = handle; }
    ~LocalSession() override {
        if (!handle_) return;
        const ForeignCall call(image_);
        image_.table().end(*handle_);
    }

    Result<void> step(const stepper_event& event, stepper_action& out) override {
        const Watch watch(image_);
        const StepTimer timer(image_.conduct());
        try {
            image_.table().step(*handle_, &event, &out);
            return {};
        } catch (...) {
            return threw(image_.kind(), ErrorClass::Internal);
        }
    }

private:
    const PluginImage& image_;
    std::optional<stepper_session*> handle_;  // null is one, too
};

class LocalInstance final : public Instance {
public:
    explicit LocalInstance(std::shared_ptr<const PluginImage> image) : image_(std::move(image)) {}
    void adopt(stepper_provider* handle) { handle_ = handle; }
    ~LocalInstance() override {
        if (!handle_) return;
        const ForeignCall call(*image_);
        image_->table().destroy(*handle_);
    }

    Result<std::unique_ptr<RawSession>> begin(Purpose purpose, std::string_view request_json) override {
        ErrorText text;
        auto out = std::make_unique<LocalSession>(*image_);  // while nothing is lost if it fails
        stepper_session* session = nullptr;
        int32_t status = STEPPER_E_INTERNAL;
        const ForeignCall call(*image_);
        try {
            status = image_->table().begin(*handle_, static_cast<int32_t>(purpose), toAbi(request_json),
                                           &session, text.abi());
        } catch (...) {
            return threw(image_->kind(), ErrorClass::Internal);
        }
        if (status != STEPPER_OK)
            return Error{errorClassOf(status),
                         "plugin " + image_->kind() + ": " + text.take("refused the request")};
        out->adopt(session);
        return std::unique_ptr<RawSession>(std::move(out));
    }

private:
    const std::shared_ptr<const PluginImage> image_;
    std::optional<stepper_provider*> handle_;
};

Result<std::unique_ptr<Instance>> createNow(const std::shared_ptr<const PluginImage>& image,
                                            std::string_view config_json) {
    auto instance = std::make_unique<LocalInstance>(image);
    const ForeignCall call(*image);
    if (auto mapped = image->map(); !mapped) return std::move(mapped).error();
    ErrorText text;
    stepper_provider* handle = nullptr;
    int32_t status = STEPPER_E_INTERNAL;
    try {
        status = image->table().create(toAbi(config_json), &handle, text.abi());
    } catch (...) {
        return threw(image->kind(), ErrorClass::Config);
    }
    if (status != STEPPER_OK)
        return Error{ErrorClass::Config,
                     "plugin " + image->kind() + ": " + text.take("refused its configuration")};
    instance->adopt(handle);
    return std::unique_ptr<Instance>(std::move(instance));
}

Result<std::unique_ptr<Instance>> create(const std::shared_ptr<const PluginImage>& image,
                                         std::string_view config_json) {
    auto made = createNow(image, config_json);
    if (const auto accused = image->conduct().accusation(); made && accused)
        return Error{ErrorClass::Config, "plugin " + image->kind() + ": " + *accused};
    return made;
}

}  // namespace

Result<std::unique_ptr<Instance>> createInProcess(std::shared_ptr<const PluginImage> image,
                                                  std::string config_json) {
    const auto errands = image->errands();
    if (!errands) return create(image, config_json);
    return errands->run<std::unique_ptr<Instance>>(
        "creating a provider of plugin " + image->kind() + " " + image->version(),
        [image, config = std::move(config_json)] { return create(image, config); });
}

}  // namespace stepper::plugin
