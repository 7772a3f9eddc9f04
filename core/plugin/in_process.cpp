#include <algorithm>
#include <optional>

#include "core/base/text.h"
#include "core/plugin/belongings.h"
#include "core/plugin/instance.h"
#include "core/plugin/views.h"

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

// Around everything of a plugin that runs here: what it does to the process is noticed and put right.
class ForeignCall {
public:
    explicit ForeignCall(const PluginImage& image) : conduct_(image.conduct()), mark_(conduct_.callMark()) {
        // Who has no errands is no host: a probe compares for itself.
        if (image.errands() && conduct_.isWatched()) before_.emplace();
        if (mark_) ++*mark_;
    }
    ~ForeignCall() {
        if (mark_) --*mark_;
        if (!before_) return;
        if (const std::string what = before_->putRight(); !what.empty()) conduct_.accuse(what);
    }
    ForeignCall(const ForeignCall&) = delete;
    ForeignCall& operator=(const ForeignCall&) = delete;

private:
    Conduct& conduct_;
    CallMark* const mark_;
    std::optional<Belongings> before_;
};

class LocalConversation final : public Conversation {
public:
    LocalConversation(const PluginImage& image, stepper_session* handle) : image_(image), handle_(handle) {}
    ~LocalConversation() override {
        const ForeignCall call(image_);
        image_.table().end(handle_);
    }

    Result<void> step(const stepper_event& event, stepper_action& out) override {
        const ForeignCall call(image_);
        const StepTimer timer(image_.conduct());
        try {
            image_.table().step(handle_, &event, &out);
            return {};
        } catch (...) {
            return threw(image_.kind(), ErrorClass::Internal);
        }
    }

private:
    const PluginImage& image_;
    stepper_session* handle_;
};

class LocalInstance final : public Instance {
public:
    LocalInstance(std::shared_ptr<const PluginImage> image, stepper_provider* handle)
        : image_(std::move(image)), handle_(handle) {}
    ~LocalInstance() override {
        const ForeignCall call(*image_);
        image_->table().destroy(handle_);
    }

    Result<std::unique_ptr<Conversation>> begin(Job job, std::string_view request_json) override {
        ErrorText text;
        stepper_session* session = nullptr;
        int32_t status = STEPPER_E_INTERNAL;
        const ForeignCall call(*image_);
        try {
            status = image_->table().begin(handle_, static_cast<int32_t>(job), toAbi(request_json), &session,
                                           text.abi());
        } catch (...) {
            return threw(image_->kind(), ErrorClass::Internal);
        }
        if (status != STEPPER_OK)
            return Error{errorClassOf(status),
                         "plugin " + image_->kind() + ": " + text.take("refused the request")};
        return std::unique_ptr<Conversation>(std::make_unique<LocalConversation>(*image_, session));
    }

private:
    const std::shared_ptr<const PluginImage> image_;
    stepper_provider* handle_;
};

Result<std::unique_ptr<Instance>> createNow(const std::shared_ptr<const PluginImage>& image,
                                            std::string_view config_json) {
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
    return std::unique_ptr<Instance>(std::make_unique<LocalInstance>(image, handle));
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
    auto made = errands->run<std::unique_ptr<Instance>>(
        "creating a provider of plugin " + image->kind() + " " + image->version(),
        [image, config = std::move(config_json)] { return create(image, config); });
    if (!made) made.error().error_class = ErrorClass::Config;
    return made;
}

}  // namespace stepper::plugin
